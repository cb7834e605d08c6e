"""Every way in which an undo can come out.

What it means for a run is decided in `run/undone.py`; here stands what there is, and what counts as left
behind. Whoever pages, counts or reports asks `StepRecord.left_behind`, which asks this.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from seatrial.model.problems import SeatrialError


class UndoOutcome(StrEnum):
    """How the undo of one step came out, by the fault journal and the step's own probe."""

    NOT_INJECTED = "not-injected"
    """Its effect was never asked for, or was taken back before it was there."""
    IN_EFFECT = "in-effect"
    """No undo has begun."""
    VERIFIED = "verified"
    """Undone: the effect is seen to be gone, and the role is well."""
    UNVERIFIED = "unverified"
    """Undone, and nobody was given a way to look."""
    LASTING = "lasting"
    """What was done stays, as its declaration says: nothing was to be put back."""
    UNRECORDED = "unrecorded"
    """Undone and not contradicted, but the fault journal could not be told: run `seatrial recover`."""
    NOT_WELL = "not-well"
    """The undo returned, yet the effect is still there, or the role is not well."""
    FAILED = "failed"
    """The undo raised, or its program ended with a failure."""
    TIMED_OUT = "timed-out"
    """The undo did not return, or what it asked did not answer in time."""
    PARTLY = "partly"
    """Some of the effect is gone and some is not."""
    TARGET_GONE = "target-gone"
    """Whoever it has to ask, or to mend, cannot be reached or is another now."""
    LEFT_TO_ANOTHER = "left-to-another"
    """Another process has claimed the undo, and has not said that it is done."""

    @property
    def left_behind(self) -> bool:
        """Whether the effect is there, or may be: somebody has to look."""
        return self in _LEFT_BEHIND


_LEFT_BEHIND = frozenset({
    UndoOutcome.IN_EFFECT,
    UndoOutcome.NOT_WELL,
    UndoOutcome.FAILED,
    UndoOutcome.TIMED_OUT,
    UndoOutcome.PARTLY,
    UndoOutcome.TARGET_GONE,
    UndoOutcome.LEFT_TO_ANOTHER,
})  # fmt: skip


class PartlyUndone(SeatrialError):  # noqa: N818  # what it is, as in Unavailable
    """Some of an effect is gone, and some is still there. The message names what is."""


def none_of(left: Sequence[object], touched: Sequence[object], how: str) -> bool:
    """For `Probe.gone`: True when nothing is `left` of what was `touched`, False when all of it is.

    Raises PartlyUndone in between, with the names of what is left and `how`: "is still stopped".
    """
    if left and len(left) < len(touched):
        raise PartlyUndone(f"{', '.join(map(str, left))} of {len(touched)} {how}")
    return not left
