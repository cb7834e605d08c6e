"""What a connection makes of every way in which bytes may come, stop and break, with a socket that obeys."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_socket import ASKED, END, SILENCE, FakeSocket, FakeTlsSocket, Step

from seatrial.load.body import body_of
from seatrial.load.call import Call, is_agreed, locate, redirected
from seatrial.load.connection import Connection, ConnectionPool
from seatrial.load.dial import Origin
from seatrial.load.failure import CLOSED, CUT_SHORT, MALFORMED, TOO_LARGE, Unanswered, describe
from seatrial.load.wire import request_bytes

REQUEST = request_bytes("GET", "/", {"Host": "h"}, None)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Id: 1\r\n\r\naye"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Id\r\n\r\n"
    b"1\r\na\r\n2\r\nye\r\n0\r\nX-Id: 1\r\n\r\n"
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\naye"
HEAD_SIZE = PLAIN.index(b"aye")
ORIGIN = Origin("http", "shop.test", 80)
RESET = ConnectionResetError(errno.ECONNRESET, "reset")


def exchanged(sock: FakeSocket, request: bytes = REQUEST, bodiless: bool = False) -> tuple[int, bytes, bool]:
    """Status and content of the one answer, and whether the connection may go on."""
    connection = Connection(sock, tls=isinstance(sock, FakeTlsSocket))
    try:
        with gevent.Timeout(5):
            answer = connection.exchange(request, bodiless)
        return answer.status, answer.body(), answer.reusable
    finally:
        connection.close()
        assert sock.is_closed


def failing(sock: FakeSocket, **given: Any) -> str:
    """How the exchange fails, in the words of the log."""
    with pytest.raises((OSError, Unanswered)) as failure:
        exchanged(sock, **given)
    return describe(failure.value, handed_over=True)


# whole answers


@pytest.mark.parametrize("answer", [PLAIN, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN])
@pytest.mark.parametrize("sock_type", [FakeSocket, FakeTlsSocket])
def test_an_answer_cut_in_two_at_every_byte(answer: bytes, sock_type: type[FakeSocket]) -> None:
    for cut in range(1, len(answer)):
        assert exchanged(sock_type(answer[:cut], answer[cut:])) == (200, b"aye", True)


def test_an_answer_byte_by_byte_with_waits_between() -> None:
    sock = FakeSocket(*(bytes([byte]) for byte in PLAIN[:-1]), SILENCE)
    gevent.spawn_later(0, sock.say, PLAIN[-1:])
    assert exchanged(sock) == (200, b"aye", True)
    assert sock.reads >= len(PLAIN)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_request_goes_out_whole_however_little_is_taken_at_a_time(takes: list[int]) -> None:
    sock = FakeSocket(PLAIN, takes=list(takes))
    request = request_bytes("POST", "/x", {"Host": "h"}, b"y" * 100)
    assert exchanged(sock, request) == (200, b"aye", True)
    assert sock.sent == request


@pytest.mark.parametrize(
    ("answer", "bodiless"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", True),
    ],
    ids=["204", "304", "HEAD", "HEAD, chunked"],
)
def test_an_answer_without_content_is_not_waited_for(answer: bytes, bodiless: bool) -> None:
    status = int(answer.split()[1])
    assert exchanged(FakeSocket(answer), bodiless=bodiless) == (status, b"", True)


def test_an_answer_without_a_length_ends_where_the_peer_closes() -> None:
    assert exchanged(FakeSocket(UNTIL_CLOSE, END)) == (200, b"aye", False)


def test_trailers_are_among_the_headers() -> None:
    connection = Connection(FakeSocket(CHUNKED), tls=False)
    assert (b"X-Id", b"1") in connection.exchange(REQUEST, bodiless=False).headers
    connection.close()


def test_what_tls_has_decrypted_already_is_read_without_waiting_for_the_kernel() -> None:
    assert exchanged(FakeTlsSocket(PLAIN[:20], PLAIN[20:])) == (200, b"aye", True)


def test_tls_that_wants_to_read_or_write_first_is_given_way() -> None:
    sock = FakeTlsSocket(ssl.SSLWantReadError(), PLAIN, takes=[3, 0, 5])
    assert exchanged(sock) == (200, b"aye", True)
    assert sock.sent == REQUEST


# broken ones


@pytest.mark.parametrize("cut", range(len(PLAIN)))
@pytest.mark.parametrize(("breaks", "amid"), [(END, CUT_SHORT), (RESET, "connection reset")])
def test_a_connection_that_ends_anywhere_in_the_answer_has_answered_nothing(
    cut: int, breaks: Step, amid: str
) -> None:
    steps = (PLAIN[:cut], breaks) if cut else (breaks,)
    assert failing(FakeSocket(*steps)) == (amid if cut or breaks is RESET else CLOSED)


def test_chunks_that_end_early_are_no_answer() -> None:
    assert failing(FakeSocket(CHUNKED[: CHUNKED.index(b"0\r\n")], END)) == CUT_SHORT


def test_an_interim_answer_alone_is_none() -> None:
    assert failing(FakeSocket(b"HTTP/1.1 100 Continue\r\n\r\n", END)) == CUT_SHORT


def test_a_head_that_never_ends_is_given_up_before_it_fills_the_memory() -> None:
    line = f"X: {'y' * 1000}\r\n".encode()
    sock = FakeSocket(b"HTTP/1.1 200 OK\r\n", *[line] * 400)
    assert failing(sock) == f"{MALFORMED}: a head without an end"
    assert sock.reads < 300


def test_a_body_that_never_ends_is_given_up_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("seatrial.load.connection.LARGEST_CONTENT", 1 << 20)
    sock = FakeSocket(b"HTTP/1.1 200 OK\r\n\r\n", *[b"y" * 60_000] * 40)
    assert failing(sock) == TOO_LARGE
    assert sock.reads < 30


def test_a_peer_that_resets_while_the_request_goes_out() -> None:
    class Gone(FakeSocket):
        def send(self, data: memoryview | bytes) -> int:
            raise BrokenPipeError(errno.EPIPE, "gone")

    assert failing(Gone(PLAIN)) == "connection reset"


# the deadline, in each phase

PHASES: dict[str, tuple[tuple[Step, ...], list[int | None]]] = {
    "before anything is taken": ((), [None]),
    "amid the request": ((), [5, None]),
    "before the answer": ((), []),
    "amid the head": ((PLAIN[:20],), []),
    "between interim and real answer": ((b"HTTP/1.1 100 Continue\r\n\r\n",), []),
    "amid the content": ((PLAIN[:-1],), []),
    "amid the chunks": ((CHUNKED[:-9],), []),
    "before the peer closes": ((UNTIL_CLOSE,), []),
}


@pytest.mark.parametrize(("steps", "takes"), PHASES.values(), ids=PHASES)
@pytest.mark.parametrize("sock_type", [FakeSocket, FakeTlsSocket])
def test_a_deadline_ends_every_wait(
    steps: tuple[Step, ...], takes: list[int | None], sock_type: type[FakeSocket]
) -> None:
    connection = Connection(sock := sock_type(*steps, takes=takes), tls=sock_type is FakeTlsSocket)
    deadline = gevent.Timeout(0.01)
    with pytest.raises(gevent.Timeout) as expired, deadline:
        connection.exchange(REQUEST, bodiless=False)
    connection.close()
    assert expired.value is deadline
    assert sock.is_closed


# from one request to the next


class Dialed:
    """Gives the sockets that it has, one after the other."""

    def __init__(self, *socks: FakeSocket) -> None:
        self.socks = list(socks)
        self.dialed = 0

    def __call__(self, origin: Origin) -> FakeSocket:
        self.dialed += 1
        return self.socks[self.dialed - 1]


@pytest.fixture
def pool_of() -> Iterator[Any]:
    pools: list[ConnectionPool] = []

    def make(*socks: FakeSocket) -> tuple[ConnectionPool, Dialed]:
        pools.append(ConnectionPool(dial := Dialed(*socks)))
        return pools[-1], dial

    yield make
    for pool in pools:
        pool.close()


def ask(pool: ConnectionPool, **given: Any) -> bytes:
    connection = pool.acquire(ORIGIN)
    try:
        answer = connection.exchange(REQUEST, **({"bodiless": False} | given))
    except BaseException:
        connection.close()
        raise
    pool.release(ORIGIN, connection)
    return answer.body()


def test_a_connection_carries_one_request_after_the_other(pool_of: Any) -> None:
    pool, dial = pool_of(FakeSocket(PLAIN, ASKED, CHUNKED, ASKED, PLAIN))
    for _ in range(3):
        assert ask(pool) == b"aye"
    assert dial.dialed == 1


def test_an_answer_that_begins_before_the_request_is_out_is_read_when_it_is(pool_of: Any) -> None:
    """As of a server that refuses a large body by its head. The loop has looked for it since the first one."""
    pool, _ = pool_of(FakeSocket(PLAIN, ASKED, PLAIN, takes=[len(REQUEST), 3, 0, 0, 5]))
    assert ask(pool) == ask(pool) == b"aye"


@pytest.mark.parametrize("meanwhile", [END, RESET, b"surplus"])
def test_an_idle_one_on_which_something_comes_keeps_the_loop_from_sleeping_once(
    pool_of: Any, meanwhile: Step
) -> None:
    loop = gevent.get_hub().loop
    pool, dial = pool_of(FakeSocket(PLAIN, SILENCE), FakeSocket(PLAIN))
    assert ask(pool) == b"aye"
    dial.socks[0].say(meanwhile)
    before = loop.iteration
    gevent.sleep(0.02)
    assert loop.iteration - before < 10
    assert ask(pool) == b"aye"
    assert dial.dialed == 2


@pytest.mark.parametrize("meanwhile", [END, RESET, b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_one_that_the_peer_has_closed_meanwhile_is_not_used(pool_of: Any, meanwhile: Step) -> None:
    pool, dial = pool_of(FakeSocket(PLAIN, SILENCE), FakeSocket(PLAIN))
    assert ask(pool) == b"aye"
    dial.socks[0].say(meanwhile)
    assert ask(pool) == b"aye"
    assert dial.dialed == 2
    assert dial.socks[0].is_closed
    assert dial.socks[0].sent == REQUEST  # once


def test_one_that_the_peer_closes_after_the_look_has_failed_and_nothing_is_sent_again(pool_of: Any) -> None:
    pool, dial = pool_of(FakeSocket(PLAIN, ASKED, END), FakeSocket(PLAIN))
    assert ask(pool) == b"aye"
    connection = pool.acquire(ORIGIN)
    with pytest.raises(Unanswered, match=CLOSED):
        connection.exchange(REQUEST, bodiless=False)
    connection.close()
    assert dial.dialed == 1


@pytest.mark.parametrize(
    "answer",
    [
        PLAIN.replace(b"X-Id: 1", b"Connection: close"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN + PLAIN,
        UNTIL_CLOSE,
    ],
)
def test_one_that_may_not_go_on_is_closed(pool_of: Any, answer: bytes) -> None:
    pool, dial = pool_of(FakeSocket(answer, END))
    assert ask(pool) == b"aye"
    assert dial.socks[0].is_closed


def test_the_one_used_last_is_used_first_and_all_idle_ones_are_closed(pool_of: Any) -> None:
    pool, dial = pool_of(FakeSocket(PLAIN), FakeSocket(PLAIN))
    first, second = pool.acquire(ORIGIN), pool.acquire(ORIGIN)
    for connection in (first, second):
        connection.exchange(REQUEST, bodiless=False)
        pool.release(ORIGIN, connection)
    assert pool.acquire(ORIGIN) is second
    second.close()
    pool.close()
    assert [sock.is_closed for sock in dial.socks] == [True, True]


# a call becomes bytes, and its answer the next call


@pytest.mark.parametrize("location", ["http://[", "//[::1", "http://shop.test:99999/", "ftp://shop.test/"])
def test_a_redirect_to_what_is_no_address_leads_nowhere(location: str) -> None:
    origin, target, _ = locate("http://shop.test/a")
    call = Call("GET", "http://shop.test/a", origin, target, {}, None)
    assert redirected(call, 302, [(b"Location", location.encode())]) is None


@pytest.mark.parametrize(
    ("asked", "told", "agreed"),
    [
        ({}, [], False),
        ({}, [b"h2c"], False),
        ({"upgrade": "WebSocket, h2c"}, [b"websocket"], True),
        ({"Upgrade": "websocket"}, [b"h2c"], False),
        ({"Upgrade": "websocket"}, [b"websocket", b"h2c"], False),
        ({"Upgrade": "websocket"}, [], False),
    ],
)
def test_a_switch_of_protocols_is_good_if_it_was_asked_for(
    asked: dict[str, str], told: list[bytes], agreed: bool
) -> None:
    call = Call("GET", "http://shop.test/a", Origin("http", "shop.test", 80), "/a", asked, None)
    assert is_agreed(call, [(b"Upgrade", name) for name in told]) is agreed


def test_what_a_call_says_goes_out_and_what_it_is_answered_leads_on() -> None:
    origin, target, _ = locate("http://shop.test/orders?a=1")
    content, content_type = body_of({"sku": "a b"}, None)
    call = Call(
        "POST", "http://shop.test/orders?a=1", origin, target, {"Content-Type": content_type}, content
    )
    moved = b"HTTP/1.1 303 See Other\r\nLocation: /orders/7\r\nContent-Length: 0\r\n\r\n"
    sock = FakeSocket(moved[:30], moved[30:], takes=[1, 0, 70])
    connection = Connection(sock, tls=False)
    answer = connection.exchange(request_bytes(call.method, call.target, call.headers, call.body), False)
    assert bytes(sock.sent) == (
        b"POST /orders?a=1 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 7\r\n\r\nsku=a+b"
    )
    following = redirected(call, answer.status, answer.headers)
    assert following is not None
    assert (following.method, following.target, following.body) == ("GET", "/orders/7", None)
    connection.close()
