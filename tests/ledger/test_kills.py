"""`kill -9` at any instant loses nothing that was acknowledged. (300 of them: tests/bench.)"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.ledger_kills import run_kills


@pytest.mark.e2e
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    outcome = run_kills(tmp_path, kills=25, seed=1)
    assert outcome.kills == 25
    assert outcome.acknowledged > 0
    assert outcome.lost == 0
    assert outcome.verifications_failed == 0
