"""The testbed's birth and death, each time in a home of its own: whatever happens, nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.support.orphans import adopting, zombies_of
from tests.support.signals import heeded
from tests.support.waiting import wait_until

from seatrial import testbed as shipped
from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessId, await_gone, is_running, send
from seatrial.testbed import TestbedState, leftovers, network
from seatrial.testbed.parts.postgres import postmaster_pidfile
from seatrial.testbed.places import Places
from seatrial.testbed.processes import belonging_to
from seatrial.testbed.programs import servers

pytestmark = pytest.mark.e2e

NOBODY = 65534
UP = """
import sys
from pathlib import Path
from seatrial import testbed
print(testbed.up(lambda text: print(text, flush=True), Path(sys.argv[1])).base_url, flush=True)
"""
_STARTS_OTHERS = (
    "import sys, subprocess, seatrial.testbed as t; subprocess.run([sys.executable, '-c', ''], check=True)"
)
DOWN = "import sys; from pathlib import Path; from seatrial import testbed; testbed.down(Path(sys.argv[1]))"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shipped.down(tmp_path)


@contextmanager
def coming_up(home: Path, prefix: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """`up` in a process of its own; its output is its progress."""
    command = [*prefix, sys.executable, "-P", "-c", UP, str(home)]
    with heeded(signal.SIGINT):
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with started as process:
        try:
            yield process
        finally:
            process.kill()


def everything_of(home: Path) -> list[ProcessId]:
    return belonging_to(Places.of_home(home).root, servers())


def assert_nothing_left(home: Path, state: TestbedState | None, processes: list[ProcessId]) -> None:
    """No process, listener, shared memory or namespace, and no file but the lock, logs and how long it took."""
    places = Places.of_home(home)
    assert everything_of(home) == []
    assert not any(map(is_running, processes))
    assert {path.name for path in places.root.iterdir()} <= {"lock", "logs", "took.json"}
    assert not places.sockets.exists()
    segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    creators = {int(row.split()[4]) for row in segments}
    assert not creators & {process.pid for process in processes}
    assert network.left(places.tag) == []
    if state and state.topology.network:
        assert state.topology.network.everything not in network.routes()
        return  # its addresses are nobody's now, or somebody else's
    for part in state.parts if state else ():
        if isinstance(part.endpoint, Path):
            continue  # a Unix socket, of which nothing is left in the sockets' directory
        with socket.socket() as probe:
            assert probe.connect_ex(part.endpoint) != 0, part.name


def test_one_of_two_ups_wins_and_a_killed_supervisor_is_cleared_away(home: Path) -> None:
    with coming_up(home) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with pytest.raises(
            Unavailable, match=f"another `up` or `down` is at work in .* \\(pid {first.pid}\\)"
        ):
            shipped.up(print, home)
        with pytest.raises(Unavailable, match="another `up` or `down`"):
            shipped.down(home)
        assert first.wait(60) == 0, first.communicate()
    state = shipped.status(home)
    assert state is not None
    assert state.phase == "ready"

    _lose_the_primary(state)

    processes = everything_of(home)
    assert len(processes) > 10
    postmaster = postmaster_pidfile(Places(state.root).part("db-2")).read_text().split()[0]
    os.kill(int(postmaster), signal.SIGSTOP)  # what is stopped does not even notice
    send(state.supervisor, signal.SIGKILL)
    assert await_gone([state.supervisor], 5) == []
    broken = shipped.status(home)
    assert broken is not None
    assert broken.phase == "broken"
    assert shipped.down(home)
    assert_nothing_left(home, state, processes)
    assert shipped.logs(home)["edge"].stat().st_size > 0
    assert not shipped.down(home)


def _lose_the_primary(state: TestbedState) -> None:
    """Kill PostgreSQL on the primary: the standby takes over, and no acknowledged order is gone."""
    with httpx.Client(base_url=state.base_url, headers={"X-Tenant": "initech"}, timeout=5) as shop:

        def place() -> str | None:
            key = str(uuid4())
            order = {"sku": "sku-001", "quantity": 1}
            answer = shop.post("/orders", json=order, headers={"Idempotency-Key": key})
            return key if answer.status_code == 201 else None

        acknowledged = [key for _ in range(50) if (key := place())]
        assert len(acknowledged) == 50
        primary = postmaster_pidfile(Places(state.root).part("db-1"))
        os.kill(int(primary.read_text().split()[0]), signal.SIGKILL)
        refused = 0
        while len(acknowledged) < 60:
            key = place()
            refused += key is None
            acknowledged += [key] if key else []
            assert refused < 20_000
        found = shop.post("/orders/lookup", json={"keys": acknowledged}).json()["orders"]
        assert sorted(order["key"] for order in found) == sorted(acknowledged)


def test_up_clears_what_a_killed_one_left_and_ctrl_c_takes_down_what_was_started(home: Path) -> None:
    with coming_up(home) as killed:
        assert killed.stdout is not None
        _read_until(killed, "db-1 ready")
        processes = everything_of(home)
        supervisor = shipped.status(home)
        assert supervisor is not None
        send(supervisor.supervisor, signal.SIGSTOP)  # so that it cannot clean up after itself
        killed.kill()
        killed.wait(5)
    assert everything_of(home)

    with coming_up(home) as interrupted:
        assert "cleared what an earlier testbed had left" in _read_until(interrupted, "cleared")
        assert not any(map(is_running, processes))
        _read_until(interrupted, "db-1 ready")
        processes = everything_of(home)
        interrupted.send_signal(signal.SIGINT)
        _, errors = interrupted.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert_nothing_left(home, None, processes)


def test_when_up_dies_while_starting_the_supervisor_takes_everything_down(home: Path) -> None:
    with coming_up(home) as process:
        _read_until(process, "witness ready")
        processes = everything_of(home)
        process.kill()
        process.wait(5)
    for one in processes:
        assert await_gone([one], 20) == []
    assert_nothing_left(home, None, processes)


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"no '{text}' before the end: {process.communicate()[1]}")


def test_a_part_that_cannot_start_is_named_and_nothing_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_HAPROXY", "/bin/false")
    with pytest.raises(Unavailable, match=r"testbed: (edge|east\.db-proxy) ended before it was ready"):
        shipped.up(print, home)
    assert_nothing_left(home, None, [])


@pytest.mark.long
def test_without_root_it_comes_up_in_a_home_with_a_very_long_path_too() -> None:
    if os.geteuid() != 0:
        pytest.skip("the session itself is not root: every other test shows this")
    prefix = _as_nobody()
    base = Path(tempfile.mkdtemp(prefix="seatrial-test-"))
    home = base / ("long" * 30)
    try:
        home.mkdir()
        for path in (base, home):
            os.chown(path, NOBODY, NOBODY)
        with adopting() as zombies:
            with coming_up(home, prefix) as process:
                assert process.wait(60) == 0, process.communicate()
            state = shipped.status(home)
            assert state is not None
            processes = everything_of(home)
            assert {Path(f"/proc/{process.pid}").stat().st_uid for process in processes} == {NOBODY}
            assert httpx.get(f"{state.base_url}/readyz").status_code == 200
            restart = ("-m", "seatrial.testbed", "--home", str(home), "restart", "cache")
            subprocess.run([*prefix, sys.executable, "-P", *restart], check=True)
            wait_until(lambda: zombies_of(state.supervisor.pid) == set())
            subprocess.run([*prefix, sys.executable, "-P", "-c", DOWN, str(home)], check=True)
            assert zombies() <= {state.supervisor.pid}, "all others had a parent that waited for them"
        assert_nothing_left(home, state, processes)
    finally:
        leftovers.clear(Places.of_home(home))
        shutil.rmtree(base)


def _as_nobody() -> list[str]:
    """A prefix that runs Python as nobody; reading may need a capability when Python is in root's home."""
    plain = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reading = [*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    for prefix in (plain, reading):
        command = [*prefix, sys.executable, "-P", "-c", _STARTS_OTHERS]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return prefix
    pytest.skip("nobody can run this Python: neither by its permissions nor with CAP_DAC_READ_SEARCH")
