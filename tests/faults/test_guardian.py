"""A frozen conductor: undone by lease, and whatever it does when it thaws is undone as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.kill_campaign import Trial, run_trial


@pytest.mark.parametrize("freeze_after_s", [0.0, 0.05, 0.1, 0.15])
def test_a_frozen_conductor_is_undone_by_lease(tmp_path: Path, freeze_after_s: float) -> None:
    result = run_trial(tmp_path / "trial", Trial(freeze_after_s=freeze_after_s, lease_s=0.5))
    assert not result.bad, result
