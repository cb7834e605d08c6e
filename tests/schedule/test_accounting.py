"""What becomes of planned instants, as a table and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seatrial.schedule.accounting import Step, decide
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hourly(*jitters: int) -> list[Occurrence]:
    """Occurrences at noon, at one …, each due some minutes later."""
    planned = [NOON + HOUR * index for index in range(len(jitters))]
    return [
        Occurrence("s", at, at + timedelta(minutes=late), "t")
        for at, late in zip(planned, jitters, strict=True)
    ]


def outcomes(
    occurrences: list[Occurrence], after: timedelta, blackouts: tuple[datetime, ...] = (), obstacle: str = ""
) -> list[str]:
    decisions = decide(
        occurrences,
        NOON + after,
        late_s=1800,
        blackout=lambda instant: "freeze" if instant in blackouts else None,
        obstacle=obstacle,
    )
    return [
        each.outcome.name
        if isinstance(each.outcome, Step)
        else f"{each.outcome.state}: {each.outcome.detail}"
        for each in decisions
    ]


def test_jitter_is_waited_for() -> None:
    assert outcomes(hourly(10), timedelta(minutes=9)) == ["WAIT"]
    assert outcomes(hourly(10), timedelta(minutes=10)) == ["START"]


def test_late_is_late_until_it_is_too_late() -> None:
    assert outcomes(hourly(0), timedelta(minutes=30)) == ["START"]
    late = "missed: no daemon was there to run it (0:31:00 after it was due)"
    assert outcomes(hourly(0), timedelta(minutes=31)) == [late]


def test_a_blackout_when_it_is_due_skips_it_however_late_it_is_looked_at() -> None:
    assert outcomes(hourly(0), timedelta(), (NOON,)) == ["skipped: freeze"]
    assert outcomes(hourly(0), HOUR * 9, (NOON,)) == ["skipped: freeze"]


def test_a_late_one_waits_for_a_window_that_is_closed_now() -> None:
    now = timedelta(minutes=5)
    assert outcomes(hourly(0), now, (NOON + now,)) == ["WAIT"]


def test_when_the_next_one_is_due_only_the_last_is_run() -> None:
    decided = decide(hourly(0, 0), NOON + HOUR, 7200, lambda _: None, "the target was busy")
    assert isinstance(decided[0].outcome, OccurrenceEnding)
    assert (
        decided[0].outcome.detail == "the target was busy, and the next one is due (1:00:00 after it was due)"
    )
    assert decided[1].outcome is Step.START


def test_what_stood_in_the_way_is_told() -> None:
    missed = "missed: the target was busy (0:40:00 after it was due)"
    assert outcomes(hourly(0), timedelta(minutes=40), obstacle="the target was busy") == [missed]


@given(
    jitters=st.lists(st.integers(0, 200), min_size=1, max_size=8),
    minutes=st.integers(0, 1000),
    closed=st.sets(st.integers(0, 7)),
)
def test_decisions_are_a_prefix_in_order_with_at_most_one_start(
    jitters: list[int], minutes: int, closed: set[int]
) -> None:
    occurrences = hourly(*jitters)
    blackouts = {occurrence.due_at for index, occurrence in enumerate(occurrences) if index in closed}
    now = NOON + timedelta(minutes=minutes)
    decided = decide(occurrences, now, 1800, lambda at: "freeze" if at in blackouts else None, "")
    assert [each.occurrence for each in decided] == occurrences[: len(decided)]
    assert all(each.outcome is not Step.WAIT for each in decided[:-1])
    for each in decided:
        if each.outcome is Step.START:
            assert each.occurrence.due_at <= now <= each.occurrence.due_at + timedelta(seconds=1800)
        if isinstance(each.outcome, OccurrenceEnding) and each.outcome.state is OccurrenceState.SKIPPED:
            assert each.occurrence.due_at in blackouts
