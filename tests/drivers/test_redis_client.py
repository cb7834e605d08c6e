"""A Redis client connects to allowed addresses only, whatever its URL says, and any answer is Unavailable at worst."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import redis
from hypothesis import given, settings
from tests.support.answers import HELLO, REPLIES
from tests.support.listeners import Listener, listening

from seatrial.drivers import reach
from seatrial.drivers.redis_client import answers, client_of, connected
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.model.role import Role

ONE = AllowList.of(["127.0.0.1"])


def pong(_: bytes) -> Iterator[bytes]:
    yield HELLO + b"+PONG\r\n" * 8  # to whatever the client says of itself first


@pytest.fixture
def forbidden() -> Iterator[Listener]:
    with listening(pong, "127.0.0.2") as listener:
        yield listener


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.2:{port}/0",
        "redis://2130706434:{port}/0",
        "redis://127.0.0.1@127.0.0.2:{port}/0",
        "redis://:{port}/0?host=127.0.0.2",
        "rediss://127.0.0.2:{port}/0",
    ],
)
def test_a_host_that_is_not_allowed_is_not_touched(forbidden: Listener, url: str) -> None:
    client = client_of(ONE, "cache", url.format(port=forbidden.port), 2.0)
    with client, pytest.raises(BadInput, match=r"cache: the host .* is not in the target's allow list"):
        client.ping()
    assert forbidden.heard == []


def test_a_name_is_resolved_at_each_connection(monkeypatch: pytest.MonkeyPatch, forbidden: Listener) -> None:
    now = ["127.0.0.2", "127.0.0.1"]
    monkeypatch.setattr(reach, "addresses_of", lambda _: now)
    with listening(pong, port=forbidden.port, hold=True) as allowed:
        for _ in range(2):
            with client_of(ONE, "cache", f"redis://cache.internal:{allowed.port}/0", 2.0) as client:
                assert client.ping()
        now[:] = ["127.0.0.2"]
        moved = client_of(ONE, "cache", f"redis://cache.internal:{allowed.port}/0", 2.0)
        with moved, pytest.raises(BadInput):
            moved.ping()
    assert (len(allowed.heard), forbidden.heard) == (2, [])


def test_a_certificate_is_still_one_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is the library's for connecting, and the name for everything else."""
    names: list[str | None] = []

    def wrapped(_: ssl.SSLContext, sock: object, **options: object) -> object:
        names.append(str(options["server_hostname"]))
        raise ssl.SSLError("seen enough")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrapped)
    monkeypatch.setattr(reach, "addresses_of", lambda _: ["127.0.0.1"])
    with listening(pong) as server:
        client = client_of(ONE, "cache", f"rediss://cache.internal:{server.port}/0", 2.0)
        with client, pytest.raises(redis.ConnectionError):
            client.ping()
    assert names == ["cache.internal"]


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "", "redis://127.0.0.1:x/0"])
def test_what_is_no_servers_address_is_told(url: str) -> None:
    with pytest.raises(BadInput, match="cache: url: "):
        client_of(ONE, "cache", url, 2.0)


@settings(max_examples=60, deadline=None)
@given(reply=REPLIES)
def test_any_answer_is_a_reason_at_worst(reply: bytes) -> None:
    with listening(lambda _: iter([reply])) as server:
        role = Role("cache", "redis", {"url": f"redis://127.0.0.1:{server.port}/0"}, ("127.0.0.1",), ".")
        try:
            answers(role)
            with connected(role) as asked:
                asked.setting("maxmemory")
        except SeatrialError as error:
            assert isinstance(error, Unavailable)
            assert "cache" in str(error)
