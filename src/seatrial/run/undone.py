"""What the undo of a step means for the verdict of its run: one table of every way in which it can come out.

A run whose effect is left behind, or may be, has failed whatever it measured: somebody has to look, and is
told what to run by hand. That includes every undo that *cannot be verified though there is a probe for it*:
the target is gone, the probe does not return, or it contradicts.

A fault that was given no probe at all (a `command.run` without `probe`, a flushed cache, which fills itself
again) is another matter. Its undo has returned and said that it was done, nothing contradicts that, and the
target's own steady state is looked at after every run. Were that a failure, no such fault could ever be part
of a run that passes. So it passes, and every report says "undone, not verified", which is not "verified".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from seatrial.model.reasons import Reason
from seatrial.model.result import StepRecord
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict

_PASS, _UNKNOWN, _FAIL = Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL
RULES: Final[Mapping[UndoOutcome, tuple[Verdict, str]]] = {
    UndoOutcome.VERIFIED: (_PASS, "undone, and seen to be gone"),
    UndoOutcome.UNVERIFIED: (_PASS, "undone, and nobody was given a way to look"),
    UndoOutcome.LASTING: (_PASS, "stays, as the experiment says: it was given no undo"),
    UndoOutcome.NOT_INJECTED: (_UNKNOWN, "did not happen"),
    UndoOutcome.UNRECORDED: (_UNKNOWN, "undone, but the fault journal does not know: run seatrial recover"),
    UndoOutcome.IN_EFFECT: (_FAIL, "is still in effect: nobody has undone it"),
    UndoOutcome.NOT_WELL: (_FAIL, "was undone, and yet its effect is not gone, or its role not well"),
    UndoOutcome.FAILED: (_FAIL, "could not be undone"),
    UndoOutcome.TIMED_OUT: (_FAIL, "was not undone in time"),
    UndoOutcome.PARTLY: (_FAIL, "was undone in part only"),
    UndoOutcome.TARGET_GONE: (_FAIL, "could not be undone, or not be verified: its target cannot be reached"),
    UndoOutcome.LEFT_TO_ANOTHER: (_FAIL, "was left to another process, which has not said that it is undone"),
}  # fmt: skip


def troubled(steps: Iterable[StepRecord], *, told: bool) -> Iterator[tuple[Verdict, str]]:
    """A verdict and a sentence for each step that is not as it should be.

    `told`: whether there was a story at all. Of one that never began only what is left behind is told, for
    that none of its steps happened is no news.
    """
    for step in steps:
        verdict, sentence = judged(step)
        if verdict is Verdict.FAIL or (told and verdict is Verdict.UNKNOWN):
            yield verdict, sentence


def judged(step: StepRecord) -> tuple[Verdict, str]:
    """The verdict on one step, and the sentence for it."""
    verdict, sentence = RULES[step.undo_outcome]
    if step.left_behind:
        why = f": {step.error}" if step.error else ""
        hand = (
            f"; by hand: {step.by_hand}, then: seatrial recover"
            if step.by_hand
            else "; run: seatrial recover"
        )
        return verdict, f"{step.name} ({step.does} on {step.role}) {sentence}{why}{hand}"
    if step.error:
        later = "" if verdict is _UNKNOWN else f"; tried again, it was {sentence}"
        return Verdict.UNKNOWN, f"{step.name}: {step.error}{later}"
    if step.injected_s is None:
        return Verdict.UNKNOWN, Reason.STEP_DID_NOT_HAPPEN(step=step.name)
    return verdict, f"{step.name} {sentence}"
