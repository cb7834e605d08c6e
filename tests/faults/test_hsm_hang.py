"""hsm.hang: whoever signs waits for its own deadline; afterwards the same connections go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.hsm import Hsm, needs_hsm
from tests.support.kill_campaign import Trial, run_trial
from tests.support.waiting import wait_until

from seatrial.drivers import pkcs11
from seatrial.faults.hsm_hang import HsmHang
from seatrial.ledger import SignerUnavailable
from seatrial.processes import is_stopped

pytestmark = needs_hsm
HANG = HsmHang()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Hsm]:
    victim = Hsm(tmp_path / "hsm", "hsm.hang")
    yield victim
    victim.close()


def test_signers_old_and_new_wait_for_their_deadlines_and_no_longer(victim: Hsm) -> None:
    undo = HANG.prepare(victim.role)
    HANG.inject(undo)
    assert len(victim.all()) >= 2
    assert all(map(is_stopped, victim.all()))
    begun = time.monotonic()
    with pytest.raises(SignerUnavailable, match="no answer within 1 s"):
        victim.signer.sign(b"by the connection that was there")
    assert "no answer within 0.5 s" in pkcs11.wrong_with(victim.role, 0.5)
    assert 1.5 <= time.monotonic() - begun < 10
    assert not HANG.healthy(victim.role)
    assert not HANG.gone(undo)
    HANG.undo(undo)
    wait_until(victim.intact)
    assert HANG.healthy(victim.role)
    assert HANG.gone(undo)
    assert victim.starts() == 1


def test_the_connection_that_is_made_between_look_and_stop_hangs_too(victim: Hsm) -> None:
    undo = HANG.prepare(victim.role)
    victim.signer.close()
    victim.signer.sign(b"by a new connection")
    HANG.inject(undo)
    more = HANG.extended(undo)
    assert more is not None
    HANG.inject(more)
    assert all(map(is_stopped, victim.all()))
    HANG.undo(more)
    wait_until(victim.intact)


def test_the_guardian_lets_it_go_on_when_the_conductor_is_killed(tmp_path: Path) -> None:
    result = run_trial(tmp_path / "trial", Trial(("hsm.hang",), conductor_step="inject:middle"))
    assert not result.bad, result
