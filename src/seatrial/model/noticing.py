"""What a run tells of the database's replication and of who noticed what: records of a result.

All instants are seconds on the request log's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.bounds import Bounds
from seatrial.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Noticed:
    """Whether somebody was told of a step: which alert of which source, and how long after it."""

    step: str
    alert: str  # as it was asked for: its name, its labels
    source: str
    detect: Bounds | None  # from the step's effect until it fired; None: nobody is known to have been told
    within_s: float  # how long it may take


@dataclass(frozen=True, slots=True)
class Detection:
    """How long it took until a step was noticed, beside how long it took until all was well again."""

    step: str
    alert: str
    source: str
    detect: Bounds | None  # see `Noticed`
    recover: Bounds | None  # from the step's effect until steady; None: not known
    verdict: Verdict  # on the time to detect


@dataclass(frozen=True, slots=True)
class LagInstant:
    """The worst lag of any standby in a second of the run; None while some server gave no figure."""

    at_s: float  # the second's begin
    lag: Bounds | None


@dataclass(frozen=True, slots=True)
class LagSeries:
    """How far the standbys of the database were behind, second by second."""

    worst: Bounds | None  # None: nobody ever gave a figure
    unmeasured_s: float  # for how long, in all, some server gave none
    seconds: tuple[LagInstant, ...]
