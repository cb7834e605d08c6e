"""The server itself: clients that are too slow, and what the command refuses."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from tests.support.command import seatrial
from tests.support.dashboards import listening
from tests.support.waiting import wait_until
from tests.web.conftest import TOKEN, Site

from seatrial.model.problems import BadInput, Unavailable
from seatrial.report import course
from seatrial.web import serving
from seatrial.web.serving import Address, bind, server


def closed(connection: socket.socket) -> float:
    """How long it takes until the other side has closed, in seconds."""
    began = time.monotonic()
    connection.settimeout(30)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


def _is_reset(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def test_whoever_is_too_slow_is_let_go_and_holds_nobody_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEADERS_WITHIN_S", 1.0)
    monkeypatch.setattr("seatrial.web.guard.BODY_WITHIN_S", 1.0)
    with listening(site.dashboard) as base:
        place = ("127.0.0.1", int(base.rpartition(":")[2]))
        silent, dripping, unfinished = (socket.create_connection(place) for _ in range(3))
        dripping.sendall(b"GET /runs HTTP/1.1\r\nHost: localhost\r\nX-A")
        unfinished.sendall(b"POST /session HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
                           b"Content-Length: 100\r\n\r\ntoken=")  # fmt: skip
        assert httpx.get(f"{base}/runs", timeout=30).status_code == 200
        dripping.sendall(b": b\r\n")
        for connection in (silent, dripping, unfinished):
            closed(connection)
            connection.close()


def test_whoever_does_not_read_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "READ_WITHIN_S", 0.5)
    with listening(site.dashboard) as base:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", int(base.rpartition(":")[2])))
            deaf.sendall(b"GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300)
            deaf.settimeout(30)
            wait_until(lambda: _is_reset(deaf), 20.0, "it was let go")
        assert httpx.get(f"{base}/runs", timeout=30).status_code == 200


def test_headers_without_end_are_refused(site: Site) -> None:
    with listening(site.dashboard) as base:
        answer = httpx.get(f"{base}/runs", headers={"x-long": "x" * 20_000}, timeout=30)
        assert answer.status_code == 431
        assert "server" not in answer.headers
        with socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2]))) as endless:
            endless.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 20_000)
            assert endless.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize(
    ("text", "loopback"),
    [("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("localhost:1", True), ("0.0.0.0:1", False),
     ("[::]:1", False), ("192.0.2.1:1", False), ("example.org:1", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches(text: str, loopback: bool) -> None:
    assert Address.parse(text).is_loopback is loopback


@pytest.mark.parametrize("text", ["", "9470", ":9470", "localhost:", "localhost:x", "localhost:70000"])
def test_an_address_that_is_none(text: str) -> None:
    with pytest.raises(BadInput, match="is not HOST:PORT"):
        Address.parse(text)


def test_an_address_that_is_taken_is_told() -> None:
    with bind(Address("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=r"nothing can listen at .* choose another"):
            bind(Address("127.0.0.1", port))


def test_statistics_are_imported_while_nobody_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def absent(name: str) -> None:
        asked.append(name)
        raise ImportError(name)

    monkeypatch.setattr(course, "import_module", absent)
    course.prepare()  # of which nobody hears
    assert asked == ["scipy.stats"]
    began, answered = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        answered.wait(30)

    with bind(Address("127.0.0.1", 0)) as listening_at:
        port = listening_at.getsockname()[1]
        held = server(site.dashboard.app())
        monkeypatch.setattr(serving, "server", lambda _app: held)
        thread = threading.Thread(target=serving.run, args=(site.dashboard.app(), listening_at, slow))
        thread.start()
        assert httpx.get(f"http://127.0.0.1:{port}/runs", timeout=30).status_code == 200
        assert began.wait(30)
        answered.set()
        held.should_exit = True
        thread.join(20)


def test_who_may_look_must_be_said_before_others_can_reach_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "serve", "--address", "0.0.0.0:0") == 64
    assert "say with --token-file who may look" in capsys.readouterr().err
    Path("token").write_text(TOKEN)
    Path("token").chmod(0o640)
    assert seatrial(monkeypatch, "serve", "--token-file", "token") == 64
    assert "chmod 600 token" in capsys.readouterr().err
    Path("token").chmod(0o600)
    monkeypatch.setattr(serving, "run", lambda *_: None)
    assert seatrial(monkeypatch, "serve", "--address", "0.0.0.0:0", "--token-file", "token") == 0
    assert "put a proxy with TLS before it" in capsys.readouterr().err
