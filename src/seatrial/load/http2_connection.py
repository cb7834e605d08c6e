"""HTTP/2 over gevent's loop: connections that carry many requests at once, and which of them gets the next.

    Client ─► Http2Pool.acquire ─► Stream.exchange ─┐
    Client ─► Http2Pool.acquire ─► Stream.exchange ─┴► Http2Connection ─► socket
                                                          Http2Wire

What holds for HTTP/1.1 holds here: nothing is sent twice, and a connection is looked at before it is used, so
that one that the peer has left or is leaving gets nothing new. No request waits for a place: where the peer
allows no more streams, the next request opens a connection of its own. To queue it here would look like a
slow service.

Bytes are read in the loop's own callbacks; whoever waits for an answer sleeps until it is there. A deadline
ends one stream (RST_STREAM), and the connection goes on with the others.
"""

from __future__ import annotations

import ssl
from functools import partial
from typing import Any

import gevent
from gevent.hub import Waiter

from seatrial.load import http2_wire
from seatrial.load.dial import Dial, Origin
from seatrial.load.failure import Unanswered
from seatrial.load.http2_wire import Answer, Http2Wire, Words

ALPN = "h2"
NOT_AGREED = "tls: HTTP/2 was not agreed to"

_READ, _WRITE = 1, 2  # libev's event masks
_CHUNK = 65536
_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Http2Connection:
    """One socket, plain or TLS, and the requests on it."""

    def __init__(self, sock: Any, tls: bool) -> None:
        sock.settimeout(0.0)  # from here on waiting is ours
        self._loop = gevent.get_hub().loop
        self._sock = sock
        self._tls = tls
        self._scheme = b"https" if tls else b"http"
        self._wire = Http2Wire()
        self._unsent = b""
        self._readable = self._loop.io(sock.fileno(), _READ)
        self._writable = self._loop.io(sock.fileno(), _WRITE)
        self._readable.start(self._take_in)
        self.is_open = True

    @property
    def has_room(self) -> bool:
        """Whether one more request may go out on it."""
        return self.is_open and self._wire.has_room

    def look(self) -> bool:
        """Whether it still has room, once everything that has come is taken in."""
        self._take_in()
        return self.has_room

    def ask(self, request: Words) -> Answer:
        """Send a request; what the windows do not let through yet, later."""
        answer = self._wire.ask(request, self._scheme)
        self._send()
        return answer

    def wait(self, answer: Answer) -> None:
        """Until something has changed about it."""
        waiter = Waiter()
        answer.wake = partial(waiter.switch, None)
        waiter.get()

    def go_on(self, answer: Answer) -> None:
        """Send more of its request, if the peer takes more."""
        self._wire.go_on(answer)
        self._send()

    def cancel(self, answer: Answer) -> None:
        """Nobody waits for it any more."""
        if self.is_open:
            self._wire.cancel(answer)
            self._send()
            self.retire_if_done()

    def leave(self) -> None:
        """Nothing new goes out on it, and it closes with its last answer."""
        self._wire.is_going_away = True
        self.retire_if_done()

    def retire_if_done(self) -> None:
        """Close it, if nothing is under way and nothing new may be."""
        if self.is_open and self._wire.is_idle and self._wire.is_going_away:
            self._wire.leave()
            self._send()
            self._close()

    # called by the loop

    def _take_in(self) -> None:
        try:
            while self.is_open:
                data = self._sock.recv(_CHUNK)
                if not data:
                    self._wire.end()
                    self._close()
                    break
                self._wire.feed(data)
                if not self._tls and len(data) < _CHUNK:
                    break
        except _WAIT:
            pass
        except (OSError, Unanswered) as error:
            self._fail(error)
        except (
            Exception
        ) as error:  # ours: nobody hears of it in the loop, but whoever waits for an answer does
            self._fail(error)
        self._send()
        self._wake()
        self.retire_if_done()

    def _send(self) -> None:
        """Send what there is, as far as the kernel takes it; the loop goes on with the rest."""
        if not self.is_open:
            return
        self._unsent += self._wire.output()
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except _WAIT:
            if not self._writable.active:
                self._writable.start(self._send)
            return
        except OSError as error:
            self._fail(error)
            self._wake()
            return
        if self._writable.active:
            self._writable.stop()

    def _fail(self, error: Exception) -> None:
        self._wire.fail(error)
        self._close()

    def _wake(self) -> None:
        """In the loop's next turn, so that nobody acts amid what is being taken in."""
        for answer in self._wire.changed:
            if answer.wake is not None:
                self._loop.run_callback(answer.wake)
                answer.wake = None
        self._wire.changed.clear()

    def _close(self) -> None:
        self.is_open = False
        for watcher in (self._readable, self._writable):
            watcher.stop()
            watcher.close()
        self._sock.close()


class Stream:
    """A place for one request on a connection that others use as well."""

    __slots__ = ("_answer", "connection")

    def __init__(self, connection: Http2Connection) -> None:
        self.connection = connection
        self._answer: Answer | None = None

    def exchange(self, request: Words, bodiless: bool) -> Answer:  # noqa: ARG002  # HTTP/2 says where content ends
        """Send a request and read its answer. Raises OSError or Unanswered when that fails."""
        connection = self.connection
        answer = self._answer = connection.ask(request)
        while not answer.complete:
            if answer.failed is not None:
                raise answer.failed
            connection.wait(answer)
            if answer.unsent:
                connection.go_on(answer)
        return answer

    def close(self) -> None:
        """Break off what is under way, and leave the connection to the others."""
        if self._answer is not None:
            self.connection.cancel(self._answer)


class Http2Pool:
    """Connections by origin, the one opened last first. `dial` makes new ones."""

    words = staticmethod(http2_wire.words)

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._connections: dict[Origin, list[Http2Connection]] = {}

    def acquire(self, origin: Origin) -> Stream:
        """A place on a connection that is alive and has room, else on a new one.

        Raises OSError or Unanswered when there is none to be had, NotAllowed when the wall lets none through.
        """
        connections = self._connections.setdefault(origin, [])
        for connection in reversed(connections):
            if connection.has_room and connection.look():
                return Stream(connection)
        sock = self._dial(origin)
        tls = origin.scheme == "https"
        if tls and sock.selected_alpn_protocol() != ALPN:
            sock.close()
            raise Unanswered(NOT_AGREED)
        connection = Http2Connection(sock, tls)
        connections[:] = [*filter(_is_open, connections), connection]
        return Stream(connection)

    def release(self, origin: Origin, stream: Stream) -> None:  # noqa: ARG002  # as of other pools
        """Its answer was read to its end."""
        stream.connection.retire_if_done()

    def close(self) -> None:
        """Close all connections, each with its last answer."""
        for connections in self._connections.values():
            while connections:
                connections.pop().leave()


def _is_open(connection: Http2Connection) -> bool:
    return connection.is_open
