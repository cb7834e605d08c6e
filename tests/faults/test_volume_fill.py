"""volume.fill: a small volume is full, and has its space back; others are never touched."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.undo import FaultSession, Undo, recover, registry

_SIZE = 8 << 20


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Role]:
    """A small volume of its own: a tmpfs where we may mount one."""
    place = tmp_path_factory.mktemp("volume")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "seatrial-test", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a tmpfs: {mounted.stderr.strip()}")
    (place / "theirs").write_text("theirs")
    yield Role("disk", "volume", {"path": str(place)}, (), str(tmp_path_factory.mktemp("elsewhere")))
    subprocess.run(["umount", place], check=True)


def fill(**parameters: Any) -> Any:
    return registry.build("volume.fill", parameters)


def free(role: Role) -> int:
    found = os.statvfs(role.parameters["path"])
    return found.f_bavail * found.f_frsize


@pytest.mark.parametrize("leave", [0, 1 << 20])
def test_no_more_is_left_than_was_asked_for_and_all_comes_back(volume: Role, leave: int) -> None:
    before, fault = free(volume), fill(leave=leave)
    undo = fault.prepare(volume)
    assert free(volume) == before
    fault.inject(undo)
    assert free(volume) == leave
    assert not fault.healthy(volume)
    assert not fault.gone(undo)
    if not leave:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            Path(volume.parameters["path"], "new").write_bytes(b"x" * 4096)
        Path(volume.parameters["path"], "new").unlink()
    for _ in range(2):
        registry.build(undo.fault, undo.with_).undo(undo)
        assert free(volume) == before
    assert fault.healthy(volume)
    assert fault.gone(undo)
    assert [path.name for path in Path(volume.parameters["path"]).iterdir()] == ["theirs"]


def test_sizes_are_written_as_people_do(volume: Role) -> None:
    fault = fill(leave="3MiB")
    undo = fault.prepare(volume)
    assert registry.build(undo.fault, undo.with_) == fault
    assert undo.touches.startswith("5.0MiB on the volume of ")
    with pytest.raises(Unavailable, match=r"has 8\.0MiB left already"):
        fill(leave="1GiB").prepare(volume)


def test_space_comes_back_while_somebody_has_the_balloon_open(volume: Role) -> None:
    before, fault = free(volume), fill()
    undo = fault.prepare(volume)
    fault.inject(undo)
    (balloon,) = Path(volume.parameters["path"]).glob(".seatrial*")
    with balloon.open():
        fault.undo(undo)
        assert free(volume) >= before - 4096


def test_a_conductor_that_is_killed_half_way_leaves_what_the_undo_removes(volume: Role) -> None:
    program = (
        "import sys, os, signal; from seatrial.undo import Undo, registry;"
        "undo = Undo.from_json(sys.argv[1]);"
        "os.fstatvfs = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "registry.build(undo.fault, undo.with_).inject(undo)"
    )
    fault = fill()
    undo = fault.prepare(volume)
    killed = subprocess.run([sys.executable, "-c", program, undo.to_json()], check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    assert not fault.healthy(volume)
    fault.undo(undo)
    assert fault.healthy(volume)


def test_in_a_session(volume: Role, home: Path) -> None:
    with FaultSession(home, "shop", experiment="e", run="r", faults=["volume.fill"]) as drill:
        drill.inject(fill(), volume, ttl_s=30)
        assert free(volume) == 0
    assert [(outcome.undone, outcome.verified) for outcome in drill.outcomes] == [(True, True)]
    assert recover(home) == []


def test_the_balloon_of_another_fault_is_not_ours_to_remove(volume: Role) -> None:
    one, other = fill(leave="4MiB").prepare(volume), fill().prepare(volume)
    fill(leave="4MiB").inject(one)
    fill().undo(other)
    assert free(volume) == 4 << 20
    subprocess.run(shlex.split(one.by_hand), check=True)
    assert fill().healthy(volume)


def test_a_volume_that_is_too_large_or_was_exchanged_is_refused(volume: Role) -> None:
    small = Role("disk", "volume", {**volume.parameters, "most": "1MiB"}, (), volume.directory)
    with pytest.raises(BadInput, match=r"at most 1\.0MiB may be filled; .* say most: 8\.0MiB"):
        fill().prepare(small)
    undo = fill().prepare(volume)
    moved = Undo.from_json(undo.to_json().replace(volume.parameters["path"], volume.directory))
    with pytest.raises(Unavailable, match="no longer on the volume"):
        fill().inject(moved)
    assert list(Path(volume.directory).iterdir()) == []


def test_the_disks_that_we_live_on_are_never_filled(
    volume: Role, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Role("disk", "volume", {"path": "/"}, (), "/")
    with pytest.raises(BadInput, match="on no volume of its own but on this machine's own"):
        fill().prepare(root)
    monkeypatch.setenv("SEATRIAL_HOME", str(Path(volume.parameters["path"], "not", "there", "yet")))
    with pytest.raises(BadInput, match=r"SEATRIAL_HOME"):
        fill().prepare(volume)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path))
    monkeypatch.chdir(volume.parameters["path"])
    with pytest.raises(BadInput, match="evidence"):
        fill().prepare(volume)
    with pytest.raises(Unavailable, match="there is no directory"):
        fill().prepare(Role("disk", "volume", {"path": "/nowhere"}, (), "/"))
