"""Pages of occurrences are the same from whichever end they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState, Store

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Twenty-three occurrences of two schedules, each third one missed."""
    with Store(f"sqlite:///{tmp_path}/seatrial.sqlite") as opened:
        for number in range(23):
            at = NOW - timedelta(hours=number // 2)  # two at each instant
            state = OccurrenceState.SKIPPED if number % 3 else OccurrenceState.MISSED
            occurrence = Occurrence(f"schedule-{number % 2}", at, at, "testbed")
            opened.occurrences.close(occurrence, OccurrenceEnding(state), NOW)
        yield opened


@pytest.mark.parametrize("state", [None, OccurrenceState.MISSED])
@pytest.mark.parametrize("schedule", [None, "schedule-1"])
@pytest.mark.parametrize("limit", [1, 4, 10, 23, 50])
def test_every_page_is_the_same_with_the_total_known(
    store: Store, limit: int, schedule: str | None, state: OccurrenceState | None
) -> None:
    whole = store.occurrences.history(schedule, 100, state)
    for offset in range(0, len(whole) + limit, limit):
        page = store.occurrences.history(schedule, limit, state, offset, len(whole))
        assert page == whole[offset : offset + limit]
