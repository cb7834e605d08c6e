"""http.call: one call breaks, another mends, and what goes wrong is told without the token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.support.victims import LOOPBACK

from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.processes import ProcessId, myself
from seatrial.undo import registry
from seatrial.undo.journal import Journal, SessionRecord
from seatrial.undo.undoing import Undoer

TOKEN = "a-token-that-nobody-sees"
CALLS = {
    "inject": {"path": "/faults/slow", "json": {"ms": 300}},
    "undo": {"method": "DELETE", "path": "/faults/slow", "expect": 204},
    "probe": {"method": "GET", "path": "/well"},
}


class Admin(BaseHTTPRequestHandler):
    """An admin endpoint that keeps what it was asked."""

    asked: ClassVar[list[tuple[str, str, Any, str]]] = []
    status: ClassVar[dict[str, int]] = {}

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, body, self.headers.get("Authorization", "")))
        self.send_response(self.status.get(self.command, 200))
        self.end_headers()

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  # http.server looks for these names

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Role]:
    monkeypatch.setenv("ADMIN_TOKEN", TOKEN)
    Admin.asked.clear()
    Admin.status = {"DELETE": 204}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Admin)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    parameters = {
        "url": f"http://127.0.0.1:{server.server_port}",
        "headers": {"Authorization": "Bearer ${ADMIN_TOKEN}"},
    }
    yield Role("payments", "http", parameters, LOOPBACK, str(tmp_path))
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_calls_are_made_as_written(admin: Role) -> None:
    call: Any = registry.build("http.call", CALLS)
    undo = call.prepare(admin)
    assert Admin.asked == []
    assert TOKEN not in undo.to_json()
    assert undo.by_hand == (
        'curl --fail -X DELETE -H "Authorization: Bearer ${ADMIN_TOKEN}"'
        f' "{admin.parameters["url"]}/faults/slow"'
    )
    call.inject(undo)
    again: Any = registry.build(undo.fault, undo.with_)
    again.undo(undo)
    assert again.gone(undo)
    assert Admin.asked == [
        ("POST", "/faults/slow", {"ms": 300}, f"Bearer {TOKEN}"),
        ("DELETE", "/faults/slow", None, f"Bearer {TOKEN}"),
        ("GET", "/well", None, f"Bearer {TOKEN}"),
    ]


def test_a_refusal_is_told(admin: Role) -> None:
    call: Any = registry.build("http.call", CALLS)
    undo = call.prepare(admin)
    Admin.status = {"POST": 503, "DELETE": 200}
    with pytest.raises(Unavailable, match="payments: POST /faults/slow answered 503"):
        call.inject(undo)
    with pytest.raises(Unavailable, match="answered 200"):  # 204 was expected
        call.undo(undo)


def test_without_a_probe_nobody_can_tell(admin: Role) -> None:
    call: Any = registry.build("http.call", {"inject": {}, "undo": {}})
    assert call.healthy(admin) is None
    assert call.gone(call.prepare(admin)) is None


def test_a_path_leads_to_no_other_host(admin: Role) -> None:
    call: Any = registry.build("http.call", {"inject": {"path": "http://10.0.0.1/x"}, "undo": {}})
    with pytest.raises(BadInput, match="allow"):
        call.inject(call.prepare(admin))
    with pytest.raises(BadInput, match="allow"):
        call.prepare(replace(admin, parameters={"url": "http://10.0.0.1"}))


def test_a_call_that_nobody_confirmed_is_taken_back_twice(admin: Role, home: Path) -> None:
    """The conductor died; its call may be on its way yet."""
    journal = Journal(home / "faults.sqlite")
    journal.open_session(SessionRecord("s", "shop", "e", "r", ProcessId(1, 1, "gone")))
    undo = registry.build("http.call", {**CALLS, "within": "50ms"}).prepare(admin)
    entry = journal.entry(journal.prepare("s", "call", undo, 0))
    assert Undoer(journal, myself()).undo(entry).undone
    assert [method for method, *_ in Admin.asked] == ["DELETE", "DELETE"]
    journal.close()
