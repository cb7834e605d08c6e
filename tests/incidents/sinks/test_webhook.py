"""The webhook's signature, and that a receiver can rely on it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.support.sinks import settings_of

from seatrial.incidents.event import IncidentEvent, Kind
from seatrial.incidents.sink import Refused, TryLater
from seatrial.incidents.sinks.webhook import (
    DELIVERY,
    SIGNATURE,
    TIMESTAMP,
    WebhookSettings,
    WebhookSink,
    verify,
)

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
EVENT = IncidentEvent(Kind.TRIGGER, "seatrial/t/x", NOW.isoformat(), "x failed: 7.6 s > 5 s …", "t", "x")


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that answers one status, and what it got."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook/token", got
        finally:
            server.shutdown()
            thread.join()


def send(url: str) -> None:
    with closing(WebhookSink(settings_of(WebhookSettings, url=url, secret="hush"), now=lambda: NOW)) as sink:
        sink.send(EVENT, "message 1")


def test_a_receiver_can_tell_our_request_from_anybody_elses() -> None:
    with receiver(204) as (url, got):
        send(url)
    ((headers, body),) = got
    assert json.loads(body)["summary"] == EVENT.summary
    assert headers[DELIVERY] == "message 1"
    assert verify("hush", headers, body, NOW)
    assert not verify("wrong", headers, body, NOW)
    assert not verify("hush", headers, body + b" ", NOW)
    assert not verify("hush", headers, body, NOW + timedelta(hours=1))
    assert not verify("hush", {**headers, TIMESTAMP: str(int(NOW.timestamp()) + 1)}, body, NOW)
    assert not verify("hush", {SIGNATURE: headers[SIGNATURE]}, body, NOW)


@pytest.mark.parametrize(
    ("status", "error"), [(500, TryLater), (429, TryLater), (301, TryLater), (404, Refused)]
)
def test_its_answers_are_understood(status: int, error: type[Exception]) -> None:
    with receiver(status) as (url, _), pytest.raises(error):
        send(url)


def test_an_address_with_a_token_in_it_is_not_shown() -> None:
    with pytest.raises(TryLater, match=r"127\.0\.0\.1 cannot be reached") as caught:
        send("http://127.0.0.1:9/hook/token")
    assert "token" not in str(caught.value)
