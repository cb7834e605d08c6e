"""deploy.switch and deploy.rollback: what is put back is the release that was live, and not just any."""

from __future__ import annotations

import socketserver
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.undo import Undo, registry


class Stats(socketserver.StreamRequestHandler):
    """The stats socket of an HAProxy: `show map` and `set map`."""

    live: ClassVar[str] = "blue"
    refuses: ClassVar[bool] = False

    def handle(self) -> None:
        match self.rfile.readline().decode().split():
            case ["show", "map", _]:
                self.wfile.write(f"0x5581 active {Stats.live}\n".encode())
            case ["set", "map", _, "active", release] if not Stats.refuses:
                Stats.live = release
            case _:
                self.wfile.write(b"Unknown map identifier.\n")


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Role]:
    Stats.live, Stats.refuses = "blue", False
    with tempfile.TemporaryDirectory() as short:  # a socket's path has 108 characters at most
        path = f"{short}/edge.sock"
        server = socketserver.ThreadingUnixStreamServer(path, Stats)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        parameters = {"socket": path, "map": "active.map", "backends": ["blue", "green", "red"]}
        yield Role("edge", "haproxy", parameters, (), str(tmp_path))
        server.shutdown()
        server.server_close()
        thread.join()


def switch(name: str = "deploy.switch", **parameters: Any) -> Any:
    return registry.build(name, parameters)


def test_the_release_that_was_live_is_live_again(edge: Role) -> None:
    action = switch(to="green")
    undo = action.prepare(edge)
    assert undo.touches == "edge: live release blue → green"
    assert action.gone(undo)
    action.inject(undo)
    assert Stats.live == "green"
    assert action.healthy(edge), "the edge serves a release, be it the wrong one"
    assert not action.gone(undo)
    recorded = Undo.from_json(undo.to_json())
    again: Any = registry.build(recorded.fault, recorded.with_)
    for _ in range(2):
        again.undo(recorded)
        assert Stats.live == "blue"
    assert again.gone(recorded)


def test_a_release_that_is_known_and_was_not_live_is_not_what_was_there(edge: Role) -> None:
    action = switch(to="green")
    undo = action.prepare(edge)
    action.inject(undo)
    Stats.live = "red"
    assert action.healthy(edge)
    assert not action.gone(undo)


def test_a_rollback_goes_back_to_where_the_story_began(edge: Role) -> None:
    there, back = switch(to="green"), switch("deploy.rollback", to="red")
    first = there.prepare(edge)
    there.inject(first)
    later = back.following(first)
    second = later.prepare(edge)
    later.inject(second)
    assert not later.gone(second)
    later.undo(second)
    assert (Stats.live, later.gone(second), there.gone(first)) == ("blue", True, True)


def test_what_goes_wrong_is_told(edge: Role) -> None:
    action = switch(to="green")
    undo = action.prepare(edge)
    Stats.refuses = True
    with pytest.raises(Unavailable, match="did not set active to green"):
        action.inject(undo)
    with pytest.raises(BadInput, match="'purple' is not one of blue, green, red"):
        switch(to="purple").prepare(edge)
    nowhere = Role("edge", "haproxy", {**edge.parameters, "socket": "none.sock"}, (), edge.directory)
    with pytest.raises(Unreachable, match="does not answer"):
        action.prepare(nowhere)
