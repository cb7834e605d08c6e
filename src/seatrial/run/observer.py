"""What a run tells while it is under way, to whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from seatrial.model.result import StepRecord

if TYPE_CHECKING:  # whoever only plans a run need not load what counts its requests
    from seatrial.run.live import LiveFigures


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run at one instant; `at_s` is seconds after the end of warm-up, negative before.

    `ended`: the load does not go on to its planned end, whatever of it is left.
    """

    phase: str
    at_s: float
    duration_s: float
    figures: LiveFigures | None
    steps: tuple[StepRecord, ...]
    notices: tuple[str, ...] = ()  # what of the scenario means something else here; () until it is known
    ended: bool = False


class Observer(Protocol):
    """Shows a run to somebody."""

    def progress(self, progress: Progress) -> None:
        """Called some times a second, from the conductor's thread; must return quickly."""


class Silent:
    """Shows nothing."""

    def progress(self, progress: Progress) -> None:
        """Ignore it."""
