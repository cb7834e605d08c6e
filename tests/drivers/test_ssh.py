"""Another machine by SSH: who is trusted, what is told when nobody answers, and a connection that is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.support.places import Places
from tests.support.ssh_server import SshServer, needs_ssh
from tests.support.victims import Tree

from seatrial import drivers
from seatrial.drivers.abilities import processes_of
from seatrial.drivers.host import Machine
from seatrial.drivers.ssh import SshBinding, SshMachine
from seatrial.drivers.sshconnection import hang_up
from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.processes import ProcessState, myself, tagged

pytestmark = needs_ssh


@pytest.fixture
def server(places: Places) -> SshServer:
    return places.ssh


def machine(role: Role) -> Machine:
    return SshMachine(role, role.bound_to(SshBinding))


def test_a_tree_is_seen_as_it_is_here(server: SshServer, tree: Tree) -> None:
    there = machine(server.role())
    root, *children = tree.born
    assert there.descendants([root]) == children
    assert there.descendants(children) == []
    assert there.states(tree.born) == [ProcessState.RUNNING] * 3
    assert there.named(str(tree.directory / "tree.pid")) == root
    assert there.named("/nowhere.pid") is None


@pytest.mark.parametrize("text", ["", "nobody\n", "4194999\n", "1 2\n"])
def test_a_pidfile_that_names_nobody(server: SshServer, tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.pid").write_text(text)
    assert machine(server.role()).named(str(tmp_path / "odd.pid")) is None


def test_a_process_with_an_odd_name_is_read(server: SshServer, tmp_path: Path) -> None:
    program = tmp_path / "a (b) c) S 1"
    program.symlink_to("/bin/sleep")
    child = psutil.Popen([str(program), "600"])
    try:
        (tmp_path / "x.pid").write_text(f"{child.pid}\n")
        found = machine(server.role()).named(str(tmp_path / "x.pid"))
        assert found is not None
        assert machine(server.role()).states([found]) == [ProcessState.RUNNING]
    finally:
        child.kill()
        child.wait()


def test_a_service_is_started_once_under_a_token(server: SshServer, tmp_path: Path) -> None:
    there, log = machine(server.role()), tmp_path / "start.log"
    try:
        for _ in range(2):
            there.start_once(["sh", "-c", "echo 'it is here'; exec sleep 600"], "a-token", str(log))
        (program,) = tagged("a-token")
        assert log.read_text() == "it is here\n"
        assert os.getsid(program.pid) == program.pid, "it outlives the connection"
    finally:
        for program in tagged("a-token"):
            os.kill(program.pid, signal.SIGKILL)
    with pytest.raises(Unavailable, match="worker at localhost: there is no program nowhere-to-be-found"):
        there.start_once(["nowhere-to-be-found"], "token", "/dev/null")


def test_what_is_written_is_never_run_as_a_command(server: SshServer, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    assert machine(server.role()).named(f"/x; touch {trap}; $(touch {trap})\n'touch {trap}'") is None
    assert not trap.exists()


def test_a_lost_connection_is_opened_again(server: SshServer) -> None:
    there = machine(server.role())
    assert there.states([myself()]) == [ProcessState.RUNNING]
    for client in psutil.Process().children():
        if client.name() == "ssh":
            client.kill()
            client.wait()
    assert there.states([myself()]) == [ProcessState.RUNNING]


def refused(role: Role, error: type[Exception], told: str) -> None:
    hang_up()
    with pytest.raises(error, match=told) as caught:
        machine(role).states([myself()])
    assert str(caught.value).startswith(("worker at ", "worker: the host"))


def test_who_is_not_there_not_trusted_or_does_not_let_us_in(server: SshServer, tmp_path: Path) -> None:
    refused(server.role(port=1), Unreachable, "refused")
    (tmp_path / "nobody").write_text("")
    refused(server.role(known_hosts=str(tmp_path / "nobody")), Unavailable, "Host key verification failed")
    refused(server.role(identity=str(server.directory / "host")), Unavailable, "Permission denied")
    elsewhere = replace(server.role(), allow=("10.0.0.0/8",))
    refused(elsewhere, BadInput, "the host localhost .* is not in the target's allow list")


def told(**binding: Any) -> list[str]:
    return [str(problem) for problem in drivers.problems_in("ssh", binding)]


def test_its_binding() -> None:
    assert told(host="web-1", user="deploy", port=2222, pidfile="/run/x.pid", start="systemctl start x") == []
    assert told() == ["host: is required and missing"]
    assert told(host="web-1", jump="bastion")[0].startswith("jump: unknown key 'jump'")
    binding = SshBinding(host="web-1")
    assert list(binding.addresses()) == [(("host",), "ssh://web-1")]


def test_what_a_person_would_type(server: SshServer) -> None:
    role = server.role(user="deploy", port=22, pidfile="/run/x.pid", start=["systemctl", "start", "x"])
    processes = processes_of(role)
    assert processes.starting() == "ssh deploy@localhost 'systemctl start x'"
    assert processes.resuming([replace(myself(), pid=7)]) == "ssh deploy@localhost 'kill -CONT 7'"
    with pytest.raises(BadInput, match="say where its process is: pidfile"):
        processes_of(server.role()).require_declared()


@pytest.fixture(autouse=True)
def _hung_up() -> Iterator[None]:
    yield
    hang_up()
