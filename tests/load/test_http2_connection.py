"""Which connection a request goes out on, and what becomes of it there, with sockets that obey."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from h2.errors import ErrorCodes
from tests.support.fake_socket import END
from tests.support.http2_peer import Http2Peer, PeeredSocket

from seatrial.load.dial import Origin
from seatrial.load.failure import CLOSED, Unanswered, describe
from seatrial.load.http2_connection import NOT_AGREED, Http2Pool, Stream
from seatrial.load.http2_wire import GOING_AWAY, NOT_SPOKEN, Answer, words

ORIGIN = Origin("http", "shop.test", 80)
GET = words("GET", "/", {"Host": "shop.test"}, None)


def wait_for(what: Callable[[], bool]) -> None:
    with gevent.Timeout(5):
        while not what():
            gevent.sleep(0.001)


class Server:
    """Dials itself: each connection is a socket with a peer of its own."""

    def __init__(self) -> None:
        self.most_streams, self.window = 100, 65535
        self.socks: list[PeeredSocket] = []
        self.pool = Http2Pool(self.dial)
        self.waiting: list[gevent.Greenlet] = []

    def dial(self, origin: Origin) -> PeeredSocket:
        self.socks.append(PeeredSocket(Http2Peer(self.most_streams, self.window)))
        return self.socks[-1]

    def ask(self, request: Any = GET, deadline_s: float = 5.0) -> Any:
        """A request under way: `get()` gives its content or raises how it failed."""
        asking = gevent.spawn(self._asked, request, deadline_s)
        self.waiting.append(asking)
        asking.start()
        gevent.sleep(0)
        return asking

    def _asked(self, request: Any, deadline_s: float) -> bytes:
        stream: Stream | None = None
        with gevent.Timeout(deadline_s):
            try:
                stream = self.pool.acquire(ORIGIN)
                answer = stream.exchange(request, bodiless=False)
            except BaseException:
                if stream is not None:
                    stream.close()
                raise
        self.pool.release(ORIGIN, stream)
        return answer.body()

    def settle(self) -> PeeredSocket:
        """The newest connection's server has said what it allows."""
        sock = self.socks[-1]
        sock.flush()
        wait_for(lambda: sock.peer.is_known)
        return sock


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    gevent.killall(server.waiting)
    server.pool.close()
    assert all(sock.is_closed for sock in server.socks)


def failure(asking: Any) -> str:
    with pytest.raises((OSError, Unanswered)) as failed:
        asking.get(timeout=5)
    return describe(failed.value, handed_over=True)


def answered(server: Server, asking: Any, sock: PeeredSocket, stream: int, body: bytes = b"aye") -> None:
    sock.peer.answer(stream, body)
    sock.flush()
    assert asking.get(timeout=5) == body


def test_requests_share_a_connection_and_are_answered_in_any_order(server: Server) -> None:
    first = server.ask()
    sock = server.settle()
    second, third = server.ask(), server.ask()
    for asking, stream in ((third, 5), (first, 1), (second, 3)):
        answered(server, asking, sock, stream, b"%d" % stream)
    assert len(server.socks) == 1
    assert sock.peer.asked == [1, 3, 5]


def test_no_request_waits_for_a_place_beyond_what_the_server_allows(server: Server) -> None:
    server.most_streams = 2
    askings = [server.ask()]
    server.settle()
    askings += [server.ask(), server.ask()]
    assert [len(sock.peer.asked) for sock in server.socks] == [2, 1]
    askings.append(server.ask())  # whose server has not said yet what it allows
    assert [len(sock.peer.asked) for sock in server.socks] == [2, 1, 1]
    for sock in server.socks:
        for stream in sock.peer.asked:
            sock.peer.answer(stream)
        sock.flush()
    assert [asking.get(timeout=5) for asking in askings] == [b"aye"] * 4
    server.ask()
    assert len(server.socks) == 3


def test_a_deadline_ends_its_own_stream_and_the_connection_goes_on(server: Server) -> None:
    other = server.ask()
    sock = server.settle()
    hung = server.ask(deadline_s=0.01)
    with pytest.raises(gevent.Timeout):
        hung.get(timeout=5)
    assert sock.peer.resets == {3: ErrorCodes.CANCEL}
    answered(server, other, sock, 1)
    again = server.ask()
    answered(server, again, sock, 5)
    assert len(server.socks) == 1


@pytest.mark.parametrize("takes", [[None], [10, None]], ids=["before anything is taken", "amid the request"])
def test_a_deadline_ends_a_send_that_nobody_takes(takes: list[int | None]) -> None:
    sock = PeeredSocket(takes=takes)
    pool = Http2Pool(lambda _: sock)
    stream = pool.acquire(ORIGIN)
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        stream.exchange(GET, bodiless=False)
    stream.close()
    pool.close()


def test_a_request_goes_out_whole_however_little_is_taken_at_a_time() -> None:
    sock = PeeredSocket(takes=[0, 5, 1, 0, 30, 0])
    pool = Http2Pool(lambda _: sock)
    asking = gevent.spawn(pool.acquire(ORIGIN).exchange, words("PUT", "/", {}, b"y" * 100), bodiless=False)
    wait_for(lambda: bool(sock.peer.asked))
    assert sock.peer.bodies == {1: b"y" * 100}
    sock.peer.answer(1)
    sock.flush()
    answer: Answer = asking.get(timeout=5)
    assert answer.body() == b"aye"
    pool.close()


def test_content_goes_out_as_the_server_opens_its_windows(server: Server) -> None:
    server.window = 5000
    server.ask()
    sock = server.settle()
    asking = server.ask(words("PUT", "/", {}, b"y" * 70_000))
    assert len(sock.peer.bodies[3]) == 5000

    def is_asked() -> bool:
        sock.flush()
        return 3 in sock.peer.asked

    wait_for(is_asked)
    assert sock.peer.bodies[3] == b"y" * 70_000
    answered(server, asking, sock, 3)


def test_a_server_that_goes_away_answers_what_it_has_and_new_requests_go_elsewhere(server: Server) -> None:
    taken = server.ask()
    sock = server.settle()
    refused = server.ask()
    sock.peer.go_away(1)
    sock.flush()
    assert failure(refused) == GOING_AWAY
    elsewhere = server.ask()
    assert len(server.socks) == 2
    answered(server, taken, sock, 1)
    wait_for(lambda: sock.is_closed)
    answered(server, elsewhere, server.settle(), 1)


def test_one_that_has_left_between_two_requests_is_found_out_before_anything_is_sent(server: Server) -> None:
    asking = server.ask()
    sock = server.settle()
    answered(server, asking, sock, 1)
    sock.peer.go_away(1)
    sock.flush()
    server.ask()  # before the loop has read anything
    assert len(server.socks) == 2
    assert sock.peer.asked == [1]


@pytest.mark.parametrize(
    ("step", "why"),
    [(END, CLOSED), (ConnectionResetError(errno.ECONNRESET, "reset"), "connection reset")],
)
def test_a_connection_that_ends_fails_all_that_is_under_way_and_nothing_is_sent_again(
    server: Server, step: Any, why: str
) -> None:
    askings = [server.ask()]
    sock = server.settle()
    askings.append(server.ask())
    sock.say(step)
    assert [failure(asking) for asking in askings] == [why, why]
    assert len(server.socks) == 1
    server.ask()
    assert len(server.socks) == 2


def test_a_peer_that_resets_while_a_request_goes_out(server: Server) -> None:
    first = server.ask()
    sock = server.settle()

    def gone(data: Any) -> int:
        raise BrokenPipeError(errno.EPIPE, "gone")

    sock.send = gone  # type: ignore[method-assign]
    assert [failure(server.ask()), failure(first)] == ["connection reset"] * 2


def test_a_server_that_speaks_something_else(server: Server) -> None:
    asking = server.ask()
    server.socks[0].say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert failure(asking) == NOT_SPOKEN


def test_a_server_that_has_agreed_to_something_else() -> None:
    class Agreed(PeeredSocket):
        def selected_alpn_protocol(self) -> str:
            return "http/1.1"

    sock = Agreed()
    with pytest.raises(Unanswered, match=NOT_AGREED):
        Http2Pool(lambda _: sock).acquire(Origin("https", "shop.test", 443))
    assert sock.is_closed


def test_a_pool_that_is_closed_leaves_what_is_under_way_its_answer(server: Server) -> None:
    asking = server.ask()
    sock = server.settle()
    server.pool.close()
    assert not sock.is_closed
    answered(server, asking, sock, 1)
    assert sock.is_closed
