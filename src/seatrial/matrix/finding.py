"""What was found for one piece of evidence: measured, imported from another tool, or attested by a person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seatrial.model import figures
from seatrial.model.noticing import Detection
from seatrial.model.verdict import Verdict, judge_bounds
from seatrial.report.unpromised import Unpromised


class Kind(StrEnum):
    """Where it comes from; a reader trusts them differently."""

    MEASURED = "measured"
    IMPORTED = "imported"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and the limit that it was judged on. None: not measured, or no limit.

    `unit`: one of s, ms, ratio, per_s, or "" for a count.
    """

    name: str
    lower: float | None
    upper: float | None
    unit: str
    limit: float | None = None
    at_least: bool = False  # whether the limit is a lowest allowed value
    trend: str = ""  # over the runs on record: worse, better or can't tell; empty: too few to say

    @property
    def verdict(self) -> Verdict:
        """Of the interval against its limit; an end that is not known may be anywhere. Needs a limit."""
        assert self.limit is not None
        lower = self.lower if self.lower is not None else -math.inf
        upper = self.upper if self.upper is not None else math.inf
        if self.at_least:
            return judge_bounds(-upper, -lower, -self.limit)
        return judge_bounds(lower, upper, self.limit)

    def __str__(self) -> str:
        if self.lower is None and self.upper is None:
            return "not measured"
        lower = self.lower if self.lower is not None else 0.0
        upper = self.upper if self.upper is not None else float("inf")
        if not self.unit:
            return f"{lower:,.9g}" if lower == upper else f"{lower:,.9g} … {upper:,.9g}"
        return str(figures.interval(lower, upper, self.unit, self.limit))


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence as it was found.

    `at`: when it was made, by its own account; None: there is none, or it does not say. `expires_at`: past
    this instant it no longer counts. `sha256`: of the file that everything else of it hangs on. `gone`: why
    what it rests on can no longer be looked at; empty while it can.
    """

    what: str
    kind: Kind
    verdict: Verdict
    reason: str = ""
    figure: Figure | None = None
    run: str = ""
    target: str = ""
    by: str = ""  # of an attestation: who, and in which role
    sha256: str = ""
    at: datetime | None = None
    expires_at: datetime | None = None
    gone: str = ""
    note: str = ""  # what nobody knows of what it rests on, and what does not keep it from counting
    noticed: str = ""  # how soon what was broken was noticed, beside how soon all was well again
    detections: tuple[Detection, ...] = ()  # the same as figures
    cost: Unpromised | None = None  # of a million requests in that run; None: no price, or not known
    cost_trend: str = ""
    renew: str = ""  # the command that would make it anew; empty: there is none
