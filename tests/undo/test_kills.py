"""Conductor, guardian or both die at every step of a fault's life: nothing is left behind.

The long campaign, with every kind of fault, is `tests/bench/bench_kills.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.kill_campaign import at_random, living, run_campaign, singly

UNDONE_WITHIN_S = 20.0  # a bound against hanging only: two busy cores tell nothing about latency


@pytest.mark.timeout(180)
@pytest.mark.parametrize("half", [0, pytest.param(1, marks=pytest.mark.long)])
def test_nothing_is_left_by_the_dead(tmp_path: Path, half: int) -> None:
    both = ("process.pause", "process.kill")
    trials = [*singly("process.pause")[half::2], *at_random(both, 1, seed=7)]
    results = run_campaign(tmp_path, trials, side_by_side=4)
    assert sum(trial.kills for trial in trials) >= 20
    assert not [result for result in results if result.bad]
    assert max(living(results)) < UNDONE_WITHIN_S
