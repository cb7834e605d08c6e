"""Keep-alive connections over gevent's loop.

Nothing is ever sent twice. A client that retries hides outages: an answer that came at the second attempt
looks like a slow success. What an honest client may do is to look before it sends: an idle connection that
the peer has closed meanwhile is found out by a read that does not block, and a fresh one is opened instead.
If the peer closes between that look and the send, the request has failed, and is recorded so (RFC 9112
section 9.3.1 allows retries there; a measurement must not make use of it).

Deadlines are not kept here: whoever calls raises `gevent.Timeout` into any of the waits.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import gevent.ssl
from gevent import socket

from seatrial.load.failure import CLOSED, CUT_SHORT, NotAllowed, Unanswered
from seatrial.load.names import Names
from seatrial.load.wall import HostNotAllowed, asked_for
from seatrial.load.wire import AnswerParser

_READ, _WRITE = 1, 2  # libev's event masks
_CHUNK = 65536


class Origin(NamedTuple):
    """Where connections go to."""

    scheme: str
    host: str
    port: int


class Tls(NamedTuple):
    """How connections are secured, and the server known."""

    verify: bool | str = True  # by the system's authorities, by those in a file, or not
    cert: str | tuple[str, str] | None = None  # the client's own: a file, or those of certificate and key
    make_context: Callable[[], ssl.SSLContext] | None = None  # the scenario's own context, in place of ours


DEFAULT_TLS = Tls()


class Connection:
    """One socket, plain or TLS, that carries one request at a time."""

    __slots__ = ("_readable", "_sock", "_tls", "_writable", "parser")

    def __init__(self, sock: Any, tls: bool) -> None:
        sock.settimeout(0.0)  # from here on waiting is ours
        loop = gevent.get_hub().loop
        self._sock = sock
        self._tls = tls
        self._readable = loop.io(sock.fileno(), _READ)
        self._writable = loop.io(sock.fileno(), _WRITE)
        self.parser = AnswerParser()

    def exchange(self, request: bytes, bodiless: bool) -> AnswerParser:
        """Send a request and read its answer. Raises OSError or Unanswered when that fails."""
        parser = self.parser
        parser.expect(bodiless)
        self._send(request)
        wait, readable = gevent.get_hub().wait, self._readable
        while not parser.complete:
            if not self._tls or not self._sock.pending():
                wait(readable)
            try:
                data = self._sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            if data:
                parser.feed(data)
            else:
                parser.end()
                if not parser.complete:
                    raise Unanswered(CUT_SHORT if parser.started else CLOSED)
        return parser

    def is_stale(self) -> bool:
        """Whether the peer has closed this idle connection, or has sent something nobody asked for."""
        try:
            # On TLS a read may consume a session ticket, which is not data; a plain peek leaves all as it is.
            self._sock.recv(1) if self._tls else self._sock.recv(1, socket.MSG_PEEK)
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

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                gevent.get_hub().wait(self._writable)
            except ssl.SSLWantReadError:
                gevent.get_hub().wait(self._readable)


class ConnectionPool:
    """Idle connections by origin, the one used last first. `names`: where new ones go to."""

    def __init__(self, tls: Tls, names: Names) -> None:
        self._tls = tls
        self._names = names
        self._idle: dict[Origin, list[Connection]] = {}
        self._tls_context: Any = None

    def acquire(self, origin: Origin) -> Connection:
        """An idle connection that is alive, else a new one.

        Raises OSError when there is none to be had, NotAllowed when the wall lets none through.
        """
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if not connection.is_stale():
                return connection
            connection.close()
        return self._open(origin)

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

    def _open(self, origin: Origin) -> Connection:
        refusal: OSError | None = None
        addresses = self._names.addresses(origin.host, origin.port)
        asked_for(origin.host, (address[0] for _, address in addresses))
        for family, address in addresses:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
                return Connection(self._secured(sock, origin), tls=origin.scheme == "https")
            except HostNotAllowed as error:
                sock.close()
                raise NotAllowed(error.strerror) from error
            except OSError as error:
                sock.close()
                refusal = error
            except BaseException:
                sock.close()
                raise
        assert refusal is not None
        raise refusal

    def _secured(self, sock: Any, origin: Origin) -> Any:
        if origin.scheme != "https":
            return sock
        if self._tls_context is None:
            try:
                self._tls_context = _tls_context(self._tls)
            except OSError as error:  # for the network's failures it must not be taken
                raise ValueError(f"{self._tls.verify}, {self._tls.cert}: {error}") from error
        return self._tls_context.wrap_socket(sock, server_hostname=origin.host)


class Pools:
    """Pools of connections, of a whole load or of one virtual user: each serves the same security."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self._pools: dict[Tls, ConnectionPool] = {}

    def of(self, tls: Tls) -> ConnectionPool:
        """The pool of connections that are secured so."""
        pool = self._pools.get(tls)
        if pool is None:
            pool = self._pools[tls] = ConnectionPool(tls, self._names)
        return pool

    def close(self) -> None:
        """Close all idle connections."""
        for pool in self._pools.values():
            pool.close()


def _tls_context(tls: Tls) -> Any:
    if tls.make_context is not None:
        context = tls.make_context()
    else:
        own = isinstance(tls.verify, str)
        context = gevent.ssl.create_default_context(**(_authorities(str(tls.verify)) if own else {}))
        if not tls.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    if tls.cert is not None:
        context.load_cert_chain(*((tls.cert,) if isinstance(tls.cert, str) else tls.cert))
    context.set_alpn_protocols(["http/1.1"])
    return context


def _authorities(path: str) -> dict[str, str]:
    return {"capath": path} if Path(path).is_dir() else {"cafile": path}
