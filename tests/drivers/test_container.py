"""A container by its engine's API, which may answer anything."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.places import Places
from tests.support.podman import needs_podman

from seatrial import drivers
from seatrial.drivers.abilities import processes_of
from seatrial.drivers.host import kill, stop, stopped
from seatrial.model.problems import Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.processes import ProcessId, ProcessState
from seatrial.undo import registry

RUNNING = {"Running": True, "Paused": False, "Pid": 7, "StartedAt": "2026-11-29T06:45:18.512844829Z"}
CONTAINER = {"Id": "ab" * 32, "Name": "/worker", "State": RUNNING}


@contextmanager
def engine(path: Path, *answers: tuple[int, str], asked: list[str] | None = None) -> Iterator[Role]:
    """Something that listens on a socket and gives these answers, one a connection, the last for ever.

    `asked` is told the method and path of each request.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        left = list(answers)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536).decode().partition(" HTTP")[0]
                (asked if asked is not None else []).append(request)
                status, body = left.pop(0) if len(left) > 1 else left[0]
                head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + body.encode())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield Role("worker", "container", {"container": "worker", "socket": str(path)}, (), str(path.parent))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (404, '{"message": "No such container: worker"}', "the container worker does not run"),
        (200, json.dumps({**CONTAINER, "State": {**RUNNING, "Running": False}}), "the container worker does not run"),
        (500, '{"message": "the disk is full"}', 'HTTP 500: {"message": "the disk is full"}'),
        (200, "<html>", "is this a container engine?"),
        (200, "{}", "is this a container engine?"),
        (200, json.dumps({**CONTAINER, "State": {**RUNNING, "StartedAt": "soon"}}), "is this a container engine?"),
    ],
)  # fmt: skip
def test_any_answer_is_told(tmp_path: Path, status: int, body: str, told: str) -> None:
    with engine(tmp_path / "s", (status, body)) as role, pytest.raises(Unavailable) as caught:
        processes_of(role).found()
    assert told in str(caught.value)


def test_an_engine_that_is_away(tmp_path: Path) -> None:
    role = Role("worker", "container", {"container": "worker", "socket": "nowhere.sock"}, (), str(tmp_path))
    with pytest.raises(Unreachable, match="worker: GET http://engine/containers/worker/json"):
        processes_of(role).found()


def test_it_is_known_by_its_id_its_first_process_and_its_start(tmp_path: Path) -> None:
    with engine(tmp_path / "s", (200, json.dumps(CONTAINER))) as role:
        (found,) = processes_of(role).found()
        assert found == ProcessId(7, 1795934718512845, "ab" * 32) or found.started // 10 == 179593471851284
        host = processes_of(role).host
        assert host.states([found, replace(found, pid=8)]) == [ProcessState.RUNNING, ProcessState.GONE]
        processes_of(role).require_own([found])
        with pytest.raises(Unreachable, match="worker: worker is another container now, or none"):
            processes_of(role).require_own([replace(found, boot="cd" * 32)])


def test_a_refusal_of_the_engine_is_told(tmp_path: Path) -> None:
    with engine(tmp_path / "s", (200, json.dumps(CONTAINER)), (409, '{"message": "it may not"}')) as role:
        found = ProcessId(7, 1795934718512845, "ab" * 32)
        process = processes_of(role).host
        with pytest.raises(Unavailable, match="HTTP 409"):
            stop(process, [found])


def test_whoever_was_stopped_in_place_of_another_goes_on(tmp_path: Path) -> None:
    """The container is restarted between the look and the request."""
    next_one = {**CONTAINER, "State": {**RUNNING, "Pid": 8, "Paused": True}}
    is_there, stopped_instead = (200, json.dumps(CONTAINER)), (200, json.dumps(next_one))
    asked: list[str] = []
    answers = (is_there, is_there, (204, ""), stopped_instead, (204, ""))
    with engine(tmp_path / "s", *answers, asked=asked) as role:
        (found,) = processes_of(role).found()
        with pytest.raises(
            Unavailable, match="worker: the container was restarted while it was to be stopped"
        ):
            processes_of(role).host.signal([found], signal.SIGSTOP)
    assert [line.rpartition("/")[2] for line in asked] == ["json", "json", "pause", "json", "unpause"]


@pytest.mark.parametrize(("action", "ran"), [("release.stop", True), ("release.start", False)])
def test_it_is_stopped_and_started_as_a_release_is(tmp_path: Path, action: str, ran: bool) -> None:
    def is_there(runs: bool) -> tuple[int, str]:
        return 200, json.dumps({**CONTAINER, "State": {**RUNNING, "Running": runs}})

    answers = (is_there(ran), (204, ""), is_there(not ran), is_there(not ran), (204, ""), is_there(ran))
    with engine(tmp_path / "s", *answers) as role:
        does: Any = registry.build(action, {})
        does.fit(role)
        undo = does.prepare(role)
        assert undo.by_hand == f"docker {'start' if ran else 'stop'} worker"
        does.inject(undo)
        assert not does.gone(undo)
        does.undo(undo)
        assert does.gone(undo)


def told(**binding: Any) -> list[str]:
    return [str(problem) for problem in drivers.problems_in("container", binding)]


def test_its_binding() -> None:
    assert told(container="worker", socket="/run/podman/podman.sock") == []
    assert told() == ["container: is required and missing"]
    assert told(container="x", sockt="y") == ["sockt: unknown key 'sockt'; did you mean 'socket'?"]


@needs_podman
def test_one_that_is_frozen_can_be_killed(places: Places) -> None:
    with places.victim("container") as victim:
        processes = processes_of(victim.role)
        found = processes.found()
        stop(processes.host, found)
        assert stopped(processes.host, found) == found
        kill(processes.host, found)
        assert processes.host.states(found) == [ProcessState.GONE]
