"""hsm.slow: signatures come, but late; afterwards they are as fast as before."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.hsm import Hsm, needs_hsm
from tests.support.waiting import wait_until

from seatrial.faults.hsm_slow import HsmSlow
from seatrial.model.quantities import Duration, Ratio
from seatrial.processes import tagged

SLOW = HsmSlow(to=Ratio(0.1), period=Duration(0.4))


def _longest_s(victim: Hsm, signatures: int) -> float:
    """The longest of so many signatures, spread over several periods."""
    longest = 0.0
    for number in range(signatures):
        begun = time.monotonic()
        victim.signer.sign(b"%d" % number)
        longest = max(longest, time.monotonic() - begun)
        time.sleep(0.05)
    return longest


@needs_hsm
def test_an_answer_waits_for_the_stopped_part_of_a_period(tmp_path: Path) -> None:
    victim = Hsm(tmp_path / "hsm", "hsm.slow")
    try:
        undo = SLOW.prepare(victim.role)
        SLOW.inject(undo)
        assert _longest_s(victim, 10) > 0.1
        SLOW.undo(undo)
        wait_until(victim.intact)
        assert SLOW.healthy(victim.role)
        assert tagged(undo.token) == []
        assert victim.starts() == 1
    finally:
        victim.close()
