"""On a real HAProxy, whose servers nobody needs to ask."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.victims import LOOPBACK
from tests.support.waiting import wait_until

from seatrial.drivers import haproxy
from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.undo import PartlyUndone
from seatrial.testbed import programs
from seatrial.undo import Undo, registry

CONFIG = """\
global
    stats socket "{socket}" mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
backend blue
    server east.blue 127.0.0.1:1
    server west.blue 127.0.0.1:1 backup
backend green
    server east.green 127.0.0.1:1
    server west.green 127.0.0.1:1 backup
backend others
    server east.others 127.0.0.1:1
"""


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Role]:
    directory = tmp_path_factory.mktemp("edge")
    socket = directory / "edge.sock"
    (directory / "haproxy.cfg").write_text(CONFIG.format(socket=socket))
    command = [str(programs.find().haproxy), "-db", "-f", "haproxy.cfg"]
    process = subprocess.Popen(command, cwd=directory, stderr=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, what="HAProxy listens")
        yield Role("edge", "haproxy", {"socket": "edge.sock", "map": "active.map"}, LOOPBACK, str(directory))
    finally:
        process.kill()
        process.wait()


def told(edge: Role) -> dict[str, str]:
    found = haproxy.servers(edge.path("edge.sock"))
    return {str(server): server.state for server in found if server.state != "ready"}


@pytest.mark.parametrize(
    ("parameters", "during"),
    [
        ({"backend": "blue", "server": "east.blue"}, {"blue/east.blue": "drain"}),
        ({"server": "east.*"}, {"blue/east.blue": "drain", "green/east.green": "drain"}),
        ({"server": "west.green", "state": "maint"}, {"green/west.green": "maint"}),
    ],
)
def test_servers_are_drained_and_taken_back(
    edge: Role, parameters: dict[str, str], during: dict[str, str]
) -> None:
    fault: Any = registry.build("edge.drain", parameters)
    undo = fault.prepare(edge)
    assert not fault.effective(undo)
    fault.inject(undo)
    assert fault.effective(undo)
    assert told(edge) == during
    assert not fault.gone(undo)
    recorded = Undo.from_json(undo.to_json())
    for _ in range(2):
        registry.build(recorded.fault, recorded.with_).undo(recorded)
        assert told(edge) == {}
        assert fault.gone(undo)
    assert fault.healthy(edge)


def test_one_server_that_is_back_is_a_part_of_it(edge: Role) -> None:
    fault: Any = registry.build("edge.drain", {"server": "east.*"})
    undo = fault.prepare(edge)
    fault.inject(undo)
    haproxy.tell(edge.path("edge.sock"), "blue/east.blue", "ready")
    with pytest.raises(PartlyUndone, match=r"green/east\.green of 2 did not go back"):
        fault.gone(undo)
    fault.undo(undo)


def test_what_was_out_of_rotation_before_stays_so(edge: Role) -> None:
    socket = edge.path("edge.sock")
    haproxy.tell(socket, "blue/west.blue", "maint")
    try:
        fault: Any = registry.build("edge.drain", {"backend": "blue"})
        undo = fault.prepare(edge)
        fault.inject(undo)
        assert told(edge) == {"blue/east.blue": "drain", "blue/west.blue": "drain"}
        with pytest.raises(Unavailable, match="nobody takes requests for blue"):
            fault.healthy(edge)
        fault.undo(undo)
        assert told(edge) == {"blue/west.blue": "maint"}
        assert fault.healthy(edge)
    finally:
        haproxy.tell(socket, "blue/west.blue", "ready")


def test_a_server_that_is_not_there_is_told(edge: Role) -> None:
    with pytest.raises(BadInput, match=r"no server blue/eats\.blue; did you mean 'blue/east\.blue'"):
        registry.build("edge.drain", {"backend": "blue", "server": "eats.blue"}).prepare(edge)
    with pytest.raises(Unavailable, match="did not set"):
        haproxy.tell(edge.path("edge.sock"), "blue/nobody", "drain")
    nowhere = Role("edge", "haproxy", {"socket": "none.sock"}, LOOPBACK, edge.directory)
    with pytest.raises(Unreachable, match="does not answer"):
        registry.build("edge.drain", {}).prepare(nowhere)
