"""How the undo of a step is told, in a few words, alike in terminal, report and JUnit."""

from __future__ import annotations

from typing import Final

from seatrial.model.result import StepRecord
from seatrial.model.undo import UndoOutcome

_WORDS: Final = {
    UndoOutcome.NOT_INJECTED: "nothing to undo",
    UndoOutcome.IN_EFFECT: "not undone",
    UndoOutcome.VERIFIED: "undone, verified",
    UndoOutcome.UNVERIFIED: "undone, not verified",
    UndoOutcome.LASTING: "stays, as declared",
    UndoOutcome.UNRECORDED: "undone, not recorded",
    UndoOutcome.NOT_WELL: "undone, NOT well",
    UndoOutcome.FAILED: "NOT undone",
    UndoOutcome.TIMED_OUT: "NOT undone in time",
    UndoOutcome.PARTLY: "PARTLY undone",
    UndoOutcome.TARGET_GONE: "NOT undone, target gone",
    UndoOutcome.LEFT_TO_ANOTHER: "left to another process",
}


def undone(step: StepRecord) -> str:
    """Whether it was undone, or put back if it is an action, and how that is known."""
    words = _WORDS[step.undo_outcome]
    return words.replace("undone", "put back") if step.kind == "action" else words


def left_behind(step: StepRecord) -> str:
    """The sentence for a step that somebody has to look after."""
    why = f": {step.error}" if step.error else ""
    return f"{step.name} ({step.does} on {step.role}) is left behind, {undone(step)}{why}"
