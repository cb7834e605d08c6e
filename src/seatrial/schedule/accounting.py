"""What becomes of planned instants whose time has come: decided here, carried out by the daemon. Pure.

planned ──► due (jitter) ──► blacked out at that instant? ── yes ─► skipped
                                    │ no
                  later than allowed, or the next one is due too? ── yes ─► missed
                                    │ no
                  blacked out now? ── yes ─► wait (it may open again in time)
                                    │ no
                                  start
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState


class Step(Enum):
    """What to do now with an occurrence that has not ended."""

    WAIT = auto()
    START = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """An occurrence, and either how it ends without having run, or what to do with it now."""

    occurrence: Occurrence
    outcome: OccurrenceEnding | Step


def decide(
    occurrences: Sequence[Occurrence],
    now: datetime,
    late_s: float,
    blackout: Callable[[datetime], str | None],
    obstacle: str,
) -> list[Decision]:
    """Decisions about occurrences in order of their planned instants; nothing is decided behind a wait.

    `late_s`: how late one may start. `obstacle`: what stood in the way so far, for a missed one's record.
    """
    decisions: list[Decision] = []
    for index, occurrence in enumerate(occurrences):
        following = occurrences[index + 1] if index + 1 < len(occurrences) else None
        overtaken = following is not None and following.due_at <= now
        outcome = _outcome(occurrence, now, late_s, blackout)
        if overtaken and isinstance(outcome, Step):
            outcome = _missed(occurrence, now, f"{obstacle or 'it was late'}, and the next one is due")
        elif isinstance(outcome, OccurrenceEnding) and outcome.state is OccurrenceState.MISSED and obstacle:
            outcome = _missed(occurrence, now, obstacle)
        decisions.append(Decision(occurrence, outcome))
        if outcome is Step.WAIT:
            break
    return decisions


def _outcome(
    occurrence: Occurrence, now: datetime, late_s: float, blackout: Callable[[datetime], str | None]
) -> OccurrenceEnding | Step:
    if now < occurrence.due_at:
        return Step.WAIT
    if (reason := blackout(occurrence.due_at)) is not None:
        return OccurrenceEnding(OccurrenceState.SKIPPED, detail=reason)
    if now - occurrence.due_at > timedelta(seconds=late_s):
        return _missed(occurrence, now, "no daemon was there to run it")
    return Step.WAIT if blackout(now) is not None else Step.START


def _missed(occurrence: Occurrence, now: datetime, why: str) -> OccurrenceEnding:
    late = timedelta(seconds=round((now - occurrence.due_at).total_seconds()))
    return OccurrenceEnding(OccurrenceState.MISSED, detail=f"{why} ({late} after it was due)")
