"""Words that are kept are those that would be made: whatever was set on the client, and whatever it was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load import prepared
from seatrial.load.arrival import Arrival
from seatrial.load.client import Client
from seatrial.load.client_state import ClientSettings
from seatrial.load.prepared import Kept, Prepared
from seatrial.load.under_way import UnderWay
from seatrial.load.wire import request_bytes

BASE = "http://shop:8080/v1"


@dataclass(eq=False)
class Wire:
    """A pool and its one connection. `answers`: headers of the next answer."""

    sent: list[bytes] = field(default_factory=list)
    worded: int = 0
    answers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def words(self, *parts: Any) -> bytes:
        self.worded += 1
        return request_bytes(*parts)

    def of(self, tls: object) -> Wire:
        return self

    def acquire(self, origin: object) -> Wire:
        return self

    def release(self, origin: object, carrier: object) -> None:
        pass

    def exchange(self, request: bytes, bodiless: bool) -> Any:
        self.sent.append(request)
        headers, self.answers = self.answers, []
        return SimpleNamespace(status=200, headers=headers, body=lambda: b"")


def a_client(wire: Wire) -> Client:
    pools: Any = wire
    return Client(ClientSettings(BASE), pools, UnderWay(Arrival(-1e9), 1e12, lambda _: True))


def set_header(client: Client) -> None:
    client.headers["X-Shop"] = "1"


def take_header(client: Client) -> None:
    client.headers.pop("X-Shop", None)


def new_headers(client: Client) -> None:
    client.headers = {"Accept": "text/plain"}


def set_cookie(client: Client) -> None:
    client.cookies.set("basket", str(len(client.cookies)))


def be_told_a_cookie(client: Client) -> None:
    wire: Any = client._pool
    wire.answers = [(b"Set-Cookie", b"session=abc")]


def forget_cookies(client: Client) -> None:
    client.cookies.clear()


def move(client: Client) -> None:
    client.base_url = "http://user:secret@other:8080/v2"


def set_params(client: Client) -> None:
    client.params = {"lang": "en"}


def set_auth(client: Client) -> None:
    client.auth = ("anna", "secret")


CHANGES: list[Callable[[Client], None]] = [
    set_header, take_header, new_headers, set_cookie, be_told_a_cookie, forget_cookies, move, set_params,
    set_auth,
]  # fmt: skip
ASKED = [("GET", "/"), ("GET", "/a b?c=ü"), ("POST", "/"), ("get", "http://other:8080/"), ("HEAD", "")]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([*CHANGES, *ASKED])), max_size=40))
def test_each_request_is_what_a_client_without_memory_sends(steps: list[Any]) -> None:
    """After any changes, in any order, with any requests between, and whatever other clients have said."""
    remembering, forgetful = Wire(), Wire()
    clients = [(a_client(remembering), a_client(forgetful)) for _ in range(3)]
    for which, step in steps:
        one, other = clients[which]
        for client in (one, other):
            if callable(step):
                step(client)
            else:
                client._said = client._said if client is one else Prepared(Kept())
                client.request(*step)
    assert remembering.sent == forgetful.sent


def test_what_is_the_same_is_put_into_words_once() -> None:
    """And once more when something has changed."""
    wire = Wire()
    client = a_client(wire)
    for _ in range(3):
        client.get("/")
    assert wire.worded == 1
    client.headers["X-Shop"] = "1"
    client.get("/")
    client.get("/")
    assert wire.worded == 2
    assert wire.sent[2] != wire.sent[3] == wire.sent[4]


def test_what_many_clients_say_alike_is_kept_once() -> None:
    """A load has as many virtual users as were ever busy at once, and each comes to ask for everything."""
    wire, kept = Wire(), Kept()
    clients = [a_client(wire) for _ in range(50)]
    for client in clients:
        client._said = Prepared(kept)
        for number in range(40):
            client.get(f"/{number}")
    assert (wire.worded, len(kept._said)) == (40, 40)
    clients[0].headers["X-Shop"] = "1"
    for client in clients:
        client.get("/0")
    assert (wire.worded, len(kept._said)) == (41, 41)


def test_what_is_asked_for_without_end_is_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario may make up an address for each request, and a service a cookie."""
    monkeypatch.setattr(prepared, "_MOST", 10)
    client, kept = a_client(Wire()), Kept()
    client._said = Prepared(kept)
    for number in range(100):
        client.cookies.set("basket", str(number // 3))
        client.get(f"/{number}")
    assert 0 < len(kept._said) <= 10
    assert 0 < len(kept._circumstances) <= 10


def test_what_is_done_to_one_request_happens_to_no_other() -> None:
    """A scenario may cut a secret out of its own, before it logs it."""
    kept, wire = Kept(), Wire()
    clients = [a_client(wire) for _ in range(2)]
    for client in clients:
        client._said = Prepared(kept)
        client.headers["Authorization"] = "Bearer abc"
    for client in clients:
        sent = client.get("/").request
        assert sent is not None
        assert sent.headers["Authorization"] == "Bearer abc"
        sent.headers["Authorization"] = "***"
        assert client.headers["Authorization"] == "Bearer abc"
