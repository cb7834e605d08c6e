"""Senders are killed while PagerDuty misbehaves: every incident arrives, once, in order."""

from pathlib import Path

import pytest
from tests.support.outbox_campaign import run_campaign


@pytest.mark.e2e
def test_every_incident_arrives_once_and_in_order(tmp_path: Path) -> None:
    outcome = run_campaign(tmp_path, incidents=12, min_kills=2, seed=20260301, within_s=60)
    assert (outcome.arrived, outcome.duplicates, outcome.left_open) == (12, 0, 0), outcome
    assert (outcome.out_of_order, outcome.parked) == (0, 0), outcome
    assert outcome.triggers_taken == outcome.triggers, outcome
    assert outcome.kills >= 2
