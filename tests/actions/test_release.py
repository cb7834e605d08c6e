"""release.stop and release.start: what ran before runs again, and what did not is off again."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from seatrial.model.problems import TooLate, Unavailable
from seatrial.model.role import Role
from seatrial.processes import from_pidfile, is_running
from seatrial.undo import registry


class Ready(BaseHTTPRequestHandler):
    """Answers 200 while there is a file."""

    file: ClassVar[Path]

    def do_GET(self) -> None:  # http.server looks for this name
        self.send_response(200 if self.file.exists() else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Role]:
    Ready.file = tmp_path / "runs"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    parameters = {
        "start": ["touch", "runs"],
        "stop": ["rm", "-f", "runs"],
        "ready": f"http://127.0.0.1:{server.server_port}/",
    }
    yield Role("release.blue", "command", parameters, ("127.0.0.1",), str(tmp_path))
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("action", "ran_before", "by_hand"),
    [
        ("release.stop", True, "touch runs"),
        ("release.start", False, "rm -f runs"),
        ("release.start", True, "touch runs"),
        ("release.stop", False, "rm -f runs"),
    ],
)
def test_it_goes_back_to_what_it_was(release: Role, action: str, ran_before: bool, by_hand: str) -> None:
    if ran_before:
        Ready.file.touch()
    does: Any = registry.build(action, {})
    undo = does.prepare(release)
    assert undo.by_hand == f"cd {release.directory} && {by_hand}"
    does.inject(undo)
    assert Ready.file.exists() == (action == "release.start")
    assert does.gone(undo) == (Ready.file.exists() == ran_before)
    for _ in range(2):
        does.undo(undo)
        assert Ready.file.exists() == ran_before
    assert does.gone(undo)
    assert does.healthy(release) is None, "one that is switched off on purpose is as it should be"


def test_a_command_that_fails_or_takes_too_long_is_told(release: Role) -> None:
    Ready.file.touch()
    stop: Any = registry.build("release.stop", {})
    undo = stop.prepare(release)
    fails = {**release.parameters, "stop": ["sh", "-c", "echo no such unit >&2; exit 5"]}
    with pytest.raises(Unavailable, match="sh failed with 5: no such unit"):
        stop.inject(stop.prepare(Role("release.blue", "command", fails, release.allow, release.directory)))
    slow = {**release.parameters, "stop": ["sleep", "60"], "within": "50ms"}
    with pytest.raises(TooLate, match=r"sleep was not through within 0\.05s"):
        stop.inject(stop.prepare(Role("release.blue", "command", slow, release.allow, release.directory)))
    assert stop.gone(undo)


def test_a_service_that_is_started_is_not_waited_for(release: Role) -> None:
    """It holds the output of its start command open for as long as it runs."""
    lasting = {**release.parameters, "start": ["sh", "-c", "touch runs; sleep 30 & echo $! > pid"]}
    role = Role("release.blue", "command", lasting, release.allow, release.directory)
    start: Any = registry.build("release.start", {})
    undo = start.prepare(role)
    start.inject(undo)
    service = next(from_pidfile(Path(role.directory, "pid")))
    assert is_running(service)
    start.cut_short(undo)  # had it not returned
    assert not is_running(service)
