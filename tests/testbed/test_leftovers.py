from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from seatrial.processes import identify, is_running, is_stopped, send
from seatrial.testbed import leftovers, state
from seatrial.testbed.places import Places
from seatrial.testbed.processes import MARKER
from seatrial.testbed.state import TestbedState
from seatrial.testbed.topology import Topology

_libc = ctypes.CDLL(None, use_errno=True)
IPC_CREAT, IPC_RMID = 0o1000, 0
KEY = 0x5EA7 + os.getpid() * 65_536 % 2**31


@pytest.fixture
def segment() -> Iterator[int]:
    """A System V segment of this process, attached to nobody."""
    identifier = _libc.shmget(KEY, 56, IPC_CREAT | 0o600)
    assert identifier >= 0
    yield identifier
    _libc.shmctl(identifier, IPC_RMID, None)


def exists(segment: int) -> bool:
    rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return any(int(row.split()[1]) == segment for row in rows)


def pidfile(path: Path, pid: int, key: int, identifier: int) -> Path:
    file = path / "postmaster.pid"
    file.write_text(f"{pid}\n/data\n0\n5432\n\nlocalhost\n{key:>9} {identifier:>9}\nready\n")
    return file


def test_the_segment_of_a_killed_postgres_is_removed(tmp_path: Path, segment: int) -> None:
    assert leftovers.release_segment(pidfile(tmp_path, os.getpid(), KEY, segment))
    assert not exists(segment)


@pytest.mark.parametrize(
    ("pid", "key"), [(1, KEY), (os.getpid(), KEY + 1)], ids=["another process", "another key"]
)
def test_a_foreign_segment_with_the_same_id_stays(tmp_path: Path, segment: int, pid: int, key: int) -> None:
    assert not leftovers.release_segment(pidfile(tmp_path, pid, key, segment))
    assert exists(segment)


def test_without_or_with_half_a_pidfile_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert not leftovers.release_segment(tmp_path / "none")
    (tmp_path / "half").write_text("123\n/data\n")
    assert not leftovers.release_segment(tmp_path / "half")


def test_clear_ends_what_is_ours_and_leaves_only_lock_and_logs(places: Places) -> None:
    for directory in (places.part("edge"), places.logs, places.pids, places.sockets):
        directory.mkdir(parents=True)
    for file in (places.lock, places.log("edge"), places.state, places.target, places.secrets):
        file.touch()
    sleep = (sys.executable, "-c", "import time; print(flush=True); time.sleep(60)")
    environment = {**os.environ, MARKER: str(places.root)}
    with subprocess.Popen(sleep, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert leftovers.exist(places)
        assert leftovers.clear(places) == 1
        assert identify(process.pid) is None
    assert {path.name for path in places.root.iterdir()} == {"lock", "logs"}
    assert places.log("edge").exists()
    assert not leftovers.exist(places)


IN_ORDER = """
import os, signal, sys, time
def wind_up(*_):
    open("in order", "x").close()
    sys.exit()
signal.signal(signal.SIGTERM, wind_up)
print(flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.parametrize("paused", [False, True])
def test_a_supervisor_that_can_ends_in_order_for_it_has_children_to_wait_for(
    places: Places, topology: Topology, paused: bool
) -> None:
    places.root.mkdir()
    supervising = (sys.executable, "-c", IN_ORDER)
    environment = {**os.environ, MARKER: str(places.root)}
    with subprocess.Popen(supervising, env=environment, stdout=subprocess.PIPE, cwd=places.root) as process:
        assert process.stdout is not None
        process.stdout.readline()
        supervisor = identify(process.pid)
        assert supervisor is not None
        state.write(TestbedState("ready", supervisor, places.root, topology, ()), places.state)
        if paused:
            send(supervisor, signal.SIGSTOP)
            wait_until(lambda: is_stopped(supervisor))
        assert leftovers.clear(places) == 1
        assert not is_running(supervisor)
    assert (places.root / "in order").exists() is not paused
    assert process.returncode == (-signal.SIGKILL if paused else 0)


def test_clear_of_nothing_is_nothing(places: Places) -> None:
    assert leftovers.clear(places) == 0


def test_a_link_in_place_of_a_directory_is_not_followed(places: Places, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "file").mkdir(parents=True)
    places.root.mkdir()
    places.parts.symlink_to(precious)
    leftovers.clear(places)
    assert (precious / "file").exists()
