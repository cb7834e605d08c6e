"""Three daemons on one PostgreSQL are killed while clocks change: all is accounted for, nothing runs twice."""

from pathlib import Path

import pytest
from tests.support.postgres_server import postgres
from tests.support.schedule_campaign import SPRING, run_campaign


@pytest.mark.e2e
def test_every_planned_instant_is_accounted_for_and_none_runs_twice(tmp_path: Path) -> None:
    with postgres(tmp_path) as database:
        outcome = run_campaign(tmp_path, database, SPRING, seed=20260329, kill_every_s=1.5)
    assert outcome.planned >= 3 * 47
    assert (outcome.unaccounted, outcome.unplanned) == ((), 0), outcome
    assert (outcome.started_twice, outcome.inconsistent) == ((), ()), outcome
    assert outcome.kills >= 2
    assert outcome.states.get("skipped", 0) >= 1
