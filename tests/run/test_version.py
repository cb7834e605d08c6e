"""A target says which version it is, or it is unknown; the run is the same."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from seatrial.model.document import build, parse
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.model.target import Target
from seatrial.model.version import TargetVersion
from seatrial.run.version import EVENT, Versions, version_in

ANSWERS = {
    "/version": "\n 1.4.2 \nbuilt on a Friday\n",
    "/info": '{"build": {"version": "1.4.3"}}',
    "/empty": "",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = ANSWERS.get(self.path, "").encode()
        self.send_response(200 if self.path in ANSWERS else 404)
        self.send_header("X-Release", "green")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def target(base_url: str, version: str) -> Target:
    text = f"target: shop\nbase_url: {base_url}\nallow: [127.0.0.1]\nversion: {version}\n"
    return build(Target, parse(text, "target.yaml"))


def asked(base_url: str, version: str, directory: Path) -> tuple[TargetVersion | None, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    found = target(base_url, version)
    role = Role("target", "http", {"url": found.base_url}, found.allow, str(directory))
    versions = Versions(found.version, role, lambda event, **told: events.append({"event": event, **told}))
    versions.ask("before")
    versions.ask("after")
    return versions.told, events


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("/version", "1.4.2"),
        ("{url: /info, key: build.version}", "1.4.3"),
        ("{url: /version, header: X-Release}", "green"),
        ("{command: [sh, -c, 'cat release']}", "r17"),
    ],
)
def test_it_is_told_before_and_after(service: str, tmp_path: Path, version: str, told: str) -> None:
    (tmp_path / "release").write_text("r17\n")
    found, events = asked(service, version, tmp_path)
    assert found == TargetVersion(told, told)
    assert str(found) == told
    assert [event["event"] for event in events] == [EVENT] * 2
    assert version_in(events) == found
    assert version_in(events[:1]) == TargetVersion(told, None)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("/nowhere", "HTTP 404"),
        ("/empty", "the answer is empty"),
        ("{url: /version, header: X-Nothing}", "there is no header X-Nothing"),
        ("{url: /info, key: build.number}", "no version under the key build.number"),
        ("{url: /version, key: build}", "JSON"),
        ("http://127.0.0.2:9/version", "not in the target's allow list"),
        ("{command: [no-such-program-anywhere]}", "there is no program"),
        ("{command: [sh, -c, 'echo no >&2; exit 3']}", "failed with 3: no"),
        ("'${SEATRIAL_TEST_UNSET}'", "SEATRIAL_TEST_UNSET"),
    ],
)
def test_what_is_not_told_is_unknown_and_says_why(
    service: str, tmp_path: Path, version: str, why: str
) -> None:
    found, _ = asked(service, version, tmp_path)
    assert found is not None
    assert (found.before, found.after) == (None, None)
    assert why in found.why


def test_a_target_that_is_not_asked_has_none() -> None:
    versions = Versions(None, None, print)
    versions.ask("before")
    assert versions.told is None
    assert version_in([]) is None


@pytest.mark.parametrize(
    "version",
    ["{}", "{url: /v, command: [x]}", "{command: [x], header: Y}", "{url: /, header: X, key: y}", "7"],
)
def test_a_way_of_asking_that_makes_no_sense_is_refused(version: str) -> None:
    with pytest.raises(BadInput, match="version"):
        target("http://127.0.0.1:1", version)
