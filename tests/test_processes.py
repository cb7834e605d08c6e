"""A signal reaches exactly the process that was meant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.victims import Tree
from tests.support.waiting import wait_until

from seatrial import processes
from seatrial.drivers.host import ThisMachine, resume
from seatrial.processes import (
    TAG,
    ProcessId,
    ProcessState,
    await_gone,
    descendants,
    from_pidfile,
    identify,
    is_running,
    is_stopped,
    myself,
    send,
    state_of,
    tagged,
)

HERE = ThisMachine(".")


def test_a_process_that_inherited_the_number_is_not_touched(tree: Tree) -> None:
    process = tree.born[0]
    earlier = replace(process, started=process.started - 1)
    other_boot = replace(process, boot="another boot")
    for stranger in (earlier, other_boot):
        assert not is_running(stranger)
        assert not send(stranger, signal.SIGKILL)
    assert is_running(process)


def test_descendants_are_found_wherever_they_have_moved(tree: Tree) -> None:
    found = descendants([tree.born[0]])
    assert {process.pid for process in found} == {process.pid for process in tree.born[1:]}
    assert {os.getsid(process.pid) for process in tree.born} != {os.getsid(tree.born[0].pid)}


def test_a_zombie_is_gone() -> None:
    child = subprocess.Popen(["sleep", "600"])
    process = identify(child.pid)
    assert process is not None
    assert state_of(process) is ProcessState.RUNNING
    assert send(process, signal.SIGKILL)
    assert state_of(process) in (ProcessState.DYING, ProcessState.GONE)
    assert await_gone([process], 5.0) == []
    assert identify(child.pid) is None  # its number is still taken: nobody has waited for it
    child.wait()


def test_a_stop_that_is_pending_is_taken_back(tree: Tree) -> None:
    for process in tree.born:
        send(process, signal.SIGSTOP)
    wait_until(lambda: all(is_stopped(process) for process in tree.born))
    resume(HERE, tree.born)
    wait_until(tree.intact)


def test_the_number_in_a_pidfile(tmp_path: Path) -> None:
    file = tmp_path / "some.pid"
    assert list(from_pidfile(file)) == []
    for text in ("", "\n", "none\n", "-1\n", "0x10\n", "4194304000\n"):
        file.write_text(text)
        assert list(from_pidfile(file)) == [], text
    file.write_text(f"{os.getpid()}\n/var/lib/data\n")  # as postmaster.pid has it
    assert list(from_pidfile(file)) == [myself()]


def test_a_tag_is_inherited_and_never_guessed() -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 600 & wait"], env={**os.environ, TAG: "one"})
    try:
        root = identify(child.pid)
        assert root is not None
        wait_until(lambda: len(descendants([root])) == 1)
        assert set(tagged("one")) == {root, *descendants([root])}
        assert tagged("on") == []
    finally:
        for process in tagged("one"):
            send(process, signal.SIGKILL)
        child.wait()


AGAIN = 'I=$((I + 1)); [ $I -gt 2000 ] && exec sleep 600; exec sh -c "$AGAIN"'


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil tells")
def test_one_that_becomes_another_program_is_tagged_all_along() -> None:
    """The kernel shows no environment meanwhile; a look would miss it now and then."""
    environment = {**os.environ, TAG: "again", "AGAIN": AGAIN, "I": "0"}
    child = subprocess.Popen(["sh", "-c", f"export I; {AGAIN}"], env=environment)
    try:
        looks = 0
        while Path(f"/proc/{child.pid}/comm").read_text().strip() != "sleep":
            assert [each.pid for each in tagged("again")] == [child.pid], f"missed at look {looks}"
            looks += 1
        assert looks > 20
    finally:
        child.kill()
        child.wait()


def test_a_name_with_brackets_and_spaces_is_read(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "600"])
    try:
        process = identify(child.pid)
        assert process is not None
        assert is_running(process)
        assert not is_stopped(process)
    finally:
        child.kill()
        child.wait()


def test_identity_is_the_number_and_the_start() -> None:
    me = myself()
    assert me == identify(os.getpid())
    assert me != ProcessId(me.pid, me.started + 1, me.boot)
    assert str(me) == f"pid {me.pid}"
    assert processes.is_running(me)
