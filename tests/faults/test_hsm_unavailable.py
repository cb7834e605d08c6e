"""hsm.unavailable: nobody signs and nobody can connect, until it is undone; the key is the same afterwards."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.hsm import Hsm, needs_hsm
from tests.support.kill_campaign import Trial, run_trial
from tests.support.victims import LOOPBACK
from tests.support.waiting import wait_until

from seatrial.drivers import pkcs11
from seatrial.faults.hsm_unavailable import HsmUnavailable
from seatrial.ledger import SignerUnavailable
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.processes import is_running

pytestmark = needs_hsm
AWAY = HsmUnavailable()


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Hsm]:
    victim = Hsm(tmp_path / "hsm")
    yield victim
    victim.close()


def test_server_and_connections_are_gone_and_come_back_with_the_same_key(victim: Hsm) -> None:
    key, before = victim.signer.verifier_key(), victim.all()
    assert len(before) >= 2
    undo = AWAY.prepare(victim.role)
    AWAY.undo(undo)  # of what was never injected
    assert victim.starts() == 1
    assert all(map(is_running, before))
    assert not AWAY.effective(undo)
    AWAY.inject(undo)
    assert AWAY.effective(undo)
    assert not any(map(is_running, before))
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(victim.role.parameters["address"].removeprefix("unix:path="))
    for _ in range(2):
        with pytest.raises(SignerUnavailable):
            victim.signer.sign(b"while it is away")
    assert not AWAY.healthy(victim.role)
    assert not AWAY.gone(undo)
    AWAY.undo(undo)
    wait_until(victim.intact)
    assert AWAY.healthy(victim.role)
    assert AWAY.gone(undo)
    assert key.verifies(b"after", victim.signer.sign(b"after"))
    AWAY.undo(undo)  # idempotent
    assert victim.starts() == 2


def test_the_connection_that_is_made_between_look_and_kill_is_lost_too(victim: Hsm) -> None:
    undo = AWAY.prepare(victim.role)
    victim.signer.close()
    victim.signer.sign(b"by a new connection")
    late = victim.all()
    AWAY.inject(undo)
    assert not any(map(is_running, late))


def test_a_supervisor_is_told_to_leave_it_away(victim: Hsm) -> None:
    """One that starts it again within a moment is waited for by `stop`, which ends what it has started."""
    stop = ["sh", "-c", "until [ -e back ]; do sleep 0.01; done; kill -9 $(cat hsm.pid); touch stopped"]
    role = replace(victim.role, parameters={**victim.role.parameters, "stop": stop})
    undo = AWAY.prepare(role)
    injecting = threading.Thread(target=AWAY.inject, args=(undo,))
    injecting.start()
    wait_until(lambda: victim.process() is None)
    victim.launch()
    (victim.directory / "back").touch()
    injecting.join()
    assert (victim.directory / "stopped").exists()
    wait_until(lambda: victim.process() is None)
    AWAY.undo(undo)
    wait_until(lambda: pkcs11.signs(role))
    assert victim.starts() == 3


def test_a_role_without_start_is_refused() -> None:
    role = Role("hsm", "pkcs11", {"pidfile": "hsm.pid"}, LOOPBACK, ".")
    with pytest.raises(BadInput, match=r"roles\.hsm: say how its server is started again"):
        AWAY.prepare(role)


def test_the_guardian_brings_it_back_when_the_conductor_is_killed(tmp_path: Path) -> None:
    result = run_trial(tmp_path / "trial", Trial(("hsm.unavailable",), conductor_step="idle"))
    assert not result.bad, result
