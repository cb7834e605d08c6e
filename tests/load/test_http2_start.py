"""Which servers keep a load that speaks HTTP/2 from its start, and which do not."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from gevent import socket
from tests.support.http2_peer import Http2Peer

from seatrial.load.dial import Dial, Origin
from seatrial.load.http2_start import refuse_others

HOST = "http://shop.test:8080"


def dials(*answers: bytes) -> Dial:
    """A server that says this once it has heard something, and closes."""

    def dial(origin: Origin) -> Any:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs:
                theirs.recv(65536)
                for answer in answers:
                    theirs.sendall(answer)

        gevent.spawn(serve)
        return ours

    return dial


def fails(error: BaseException) -> Dial:
    def dial(origin: Origin) -> Any:
        raise error

    return dial


def agreed(protocol: str | None, dial: Dial) -> Dial:
    class Secured:
        def __init__(self, sock: Any) -> None:
            self.sendall, self.recv, self.close = sock.sendall, sock.recv, sock.close

        def selected_alpn_protocol(self) -> str | None:
            return protocol

    return lambda origin: Secured(dial(origin))


SETTINGS = Http2Peer().output()


@pytest.mark.parametrize("answers", [(SETTINGS,), (SETTINGS[:5], SETTINGS[5:])])
def test_one_that_speaks_it_is_welcome(answers: tuple[bytes, ...]) -> None:
    assert refuse_others([HOST], dials(*answers)) == []


def test_one_that_speaks_it_by_tls_is_welcome() -> None:
    assert refuse_others(["https://shop.test"], agreed("h2", dials(SETTINGS))) == []


@pytest.mark.parametrize(
    ("host", "make", "said"),
    [
        (
            HOST,
            lambda: dials(b"HTTP/1.1 400 Bad Request\r\n\r\nno"),
            "it answered 'HTTP/1.1 400 Bad Request'",
        ),
        ("https://shop.test", lambda: agreed("http/1.1", dials()), "TLS agreed to http/1.1"),
        ("https://shop.test", lambda: agreed(None, dials()), "TLS agreed to no protocol at all"),
        ("https://shop.test", lambda: fails(_no_protocol()), "TLS refused it"),
    ],
)
def test_one_that_shows_that_it_does_not_is_told_in_a_line(
    host: str, make: Callable[[], Dial], said: str
) -> None:
    with pytest.raises(ValueError, match=r"--http 2: .* does not speak it: .*; leave it out") as refusal:
        refuse_others([host], make())
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def _no_protocol() -> ssl.SSLError:
    error = ssl.SSLError(1, "alert")
    error.reason = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
    return error


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: fails(ConnectionRefusedError(111, "refused")), "connection refused"),
        (dials, "closed without answer"),
        (lambda: fails(gevent.Timeout(0)), "no answer within 2 s"),
    ],
)
def test_one_that_is_not_there_may_be_what_is_measured(make: Callable[[], Dial], said: str) -> None:
    (line,) = refuse_others([HOST, HOST], make())
    assert line == f"whether {HOST} speaks HTTP/2 is not known yet: {said}"
