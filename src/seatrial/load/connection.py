"""Keep-alive connections over gevent's loop.

Nothing is ever sent twice. A client that retries hides outages: an answer that came at the second attempt
looks like a slow success. What an honest client may do is to look before it sends: an idle connection that
the peer has closed meanwhile is found out by a read that does not block, and a fresh one is opened instead.
If the peer closes between that look and the send, the request has failed, and is recorded so (RFC 9112
section 9.3.1 allows retries there; a measurement must not make use of it).

Deadlines are not kept here: whoever calls raises `gevent.Timeout` into any of the waits.
"""

from __future__ import annotations

import select
import ssl
from typing import Any, Protocol

import gevent
import gevent.monkey
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from seatrial.load.dial import Dial, Dialer, Origin, Tls
from seatrial.load.failure import CLOSED, CUT_SHORT, TOO_LARGE, Unanswered
from seatrial.load.names import Names
from seatrial.load.wire import LARGEST_CONTENT, AnswerParser, HeaderList, request_bytes
from seatrial.model.clients import Http

_READ, _WRITE = 1, 2  # libev's event masks
_CHUNK, _CHUNKS = 8192, 65536  # read at first, and then, where that was full: memory for more is not at hand


class Answer(Protocol):
    """What has come back for one request."""

    status: int
    headers: HeaderList

    def body(self) -> bytes:
        """The content, decoded. Raises Unanswered when its coding is broken."""


class Carrier(Protocol):
    """What carries one request to its answer: a connection, or a stream of one."""

    def exchange(self, request: Any, bodiless: bool) -> Answer:
        """Send a request, as the pool words it, and read its answer. Raises OSError or Unanswered."""

    def close(self) -> None:
        """Break off whatever is under way."""


class Pool(Protocol):
    """The carriers of one version of HTTP."""

    def words(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Any:
        """A request as its carriers send it. Raises ValueError for what cannot be put so."""

    def acquire(self, origin: Origin) -> Carrier:
        """One that is ready. Raises OSError or Unanswered when there is none to be had, NotAllowed."""

    def release(self, origin: Origin, carrier: Any) -> None:
        """Its answer was read to its end."""

    def close(self) -> None:
        """Close what is idle."""


class Connection:
    """One socket, plain or TLS, that carries one request at a time.

        exchange ──► send ──► switch to the hub                        ┌──► recv, feed, … the answer
                              loop: readable ──► _come ──► switch back ┘

    The loop watches for something to read from the first request to the end, also while nobody waits for it:
    to begin and to end it for each wait is a system call and half of what the wait takes.
    """

    __slots__ = (
        "_hub", "_is_watched", "_kernel", "_look", "_readable", "_sock", "_tls", "_waiting", "_writable",
        "parser",
    )  # fmt: skip

    def __init__(self, sock: Any, tls: bool) -> None:
        sock.settimeout(0.0)  # from here on waiting is ours
        self._hub: Any = gevent.get_hub()
        loop = self._hub.loop
        self._sock = sock
        # gevent's `send` and `recv` wrap those of the socket within it, which never waits, to wait instead.
        self._kernel = sock if tls else getattr(sock, "_sock", sock)
        self._tls = tls
        look = gevent.monkey.get_original("select", "poll")()
        look.register(sock.fileno(), select.POLLIN)
        self._look = look.poll
        self._readable = loop.io(sock.fileno(), _READ)
        self._writable = loop.io(sock.fileno(), _WRITE)
        self._is_watched = False
        self._waiting: greenlet | None = None
        self.parser = AnswerParser()

    def exchange(self, request: bytes, bodiless: bool) -> AnswerParser:
        """Send a request and read its answer. Raises OSError or Unanswered when that fails."""
        parser, size, unfinished = self.parser, _CHUNK, 0
        parser.expect(bodiless)
        self._send(request)
        while True:
            if not self._tls or not self._sock.pending():
                self._wait()
            try:
                data = self._kernel.recv(size)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            if data:
                parser.feed(data)
                if parser.complete:
                    return parser
                unfinished += len(data)
                if unfinished > LARGEST_CONTENT:
                    raise Unanswered(TOO_LARGE)
                if len(data) == size:
                    size = _CHUNKS
            else:
                parser.end()
                if parser.complete:
                    return parser
                raise Unanswered(CUT_SHORT if parser.started else CLOSED)

    def is_stale(self) -> bool:
        """Whether the peer has closed this idle connection, or has sent something nobody asked for."""
        if not self._tls:
            # A read would have to raise that there is nothing, which takes three times as long.
            return bool(self._look(0))
        try:
            self._sock.recv(1)  # which may consume a session ticket, and that is not data
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Close the socket, whatever is under way."""
        for watcher in (self._readable, self._writable):
            watcher.stop()
            watcher.close()
        self._sock.close()
        self.parser.close()

    def _wait(self) -> None:
        """Until there is something to read, or so it seems."""
        if not self._is_watched:
            self._readable.start(self._come)
            self._is_watched = True
        self._waiting = getcurrent()
        try:
            self._hub.switch()
        finally:
            self._waiting = None

    def _come(self) -> None:
        """There is something to read. In the hub, and again in each turn of the loop until it is read."""
        if self._waiting is not None:
            self._waiting.switch()
        else:
            self._readable.stop()
            self._is_watched = False

    def _send(self, data: bytes) -> None:
        left: bytes | memoryview = data
        while left:
            try:
                sent = self._kernel.send(left)
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._hub.wait(self._writable)
            except ssl.SSLWantReadError:
                self._wait()
            else:
                left = memoryview(left)[sent:] if sent < len(left) else b""


class ConnectionPool:
    """Idle connections by origin, the one used last first. `dial` makes new ones."""

    words = staticmethod(request_bytes)

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._idle: dict[Origin, list[Connection]] = {}

    def acquire(self, origin: Origin) -> Connection:
        """An idle connection that is alive, else a new one.

        Raises OSError or Unanswered when there is none to be had, NotAllowed when the wall lets none through.
        """
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.is_stale():
                return connection
            connection.close()
        return Connection(self._dial(origin), tls=origin.scheme == "https")

    def release(self, origin: Origin, connection: Connection) -> None:
        """Give back a connection whose answer was read to its end."""
        if connection.parser.reusable:
            self._idle.setdefault(origin, []).append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        for connections in self._idle.values():
            while connections:
                connections.pop().close()


class Pools:
    """Pools of connections, of a whole load or of one virtual user: each serves the same security."""

    def __init__(self, names: Names | None = None, http: Http = "1.1") -> None:
        self._names = names or Names()
        self._http = http
        self._pools: dict[Tls, Pool] = {}

    def of(self, tls: Tls) -> Pool:
        """The pool of connections that are secured so."""
        pool = self._pools.get(tls)
        if pool is None:
            pool = self._pools[tls] = self._made(tls)
        return pool

    def _made(self, tls: Tls) -> Pool:
        if self._http == "1.1":
            return ConnectionPool(Dialer(tls, self._names).dial)
        from seatrial.load.http2_connection import ALPN, Http2Pool  # noqa: PLC0415  # of an extra

        return Http2Pool(Dialer(tls, self._names, ALPN).dial)

    def close(self) -> None:
        """Close all idle connections."""
        for pool in self._pools.values():
            pool.close()
