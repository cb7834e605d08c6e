"""What options say, as records."""

from __future__ import annotations

import pytest

from seatrial.cli.terms import workers_of
from seatrial.model.problems import BadInput
from seatrial.model.workers import MOST_ON_A_MACHINE


@pytest.mark.parametrize("count", [MOST_ON_A_MACHINE + 1, 100_000_000])
def test_a_machine_is_not_filled_with_workers(count: int) -> None:
    with pytest.raises(BadInput, match=f"--workers: {count:,} are more than the 256 that are started on one"):
        workers_of(count, 0, "", "127.0.0.1", "continue", "stream")
    assert workers_of(MOST_ON_A_MACHINE, 0, "", "[::1]:5557", "abort", "keep").local == MOST_ON_A_MACHINE
