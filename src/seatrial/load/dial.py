"""How a new connection is made: a name becomes addresses, one of them a socket, plain or secured.

What is done on a connection afterwards is somebody else's: whoever asks for one gets a socket, or the reason
why there is none.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gevent.ssl
from gevent import socket

from seatrial.load.failure import NotAllowed
from seatrial.load.names import Names
from seatrial.load.wall import HostNotAllowed, asked_for


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

Dial = Callable[[Origin], Any]  # a socket that is connected, and secured if its origin says so


class Dialer:
    """Connects. `names`: where to; `protocol`: what TLS asks the server to speak (ALPN)."""

    def __init__(self, tls: Tls, names: Names, protocol: str = "http/1.1") -> None:
        self._tls = tls
        self._names = names
        self._protocol = protocol

    def dial(self, origin: Origin) -> Any:
        """A socket to one of the origin's addresses: the first at which somebody answers.

        Raises OSError or Unanswered when there is none, NotAllowed when the wall lets none through.
        """
        refusal: OSError | None = None
        addresses = self._names.addresses(origin.host, origin.port)
        asked_for(origin.host, (address[0] for _, address in addresses))
        try:
            for family, address in addresses:
                try:
                    return self._connected(family, address, origin)
                except HostNotAllowed as error:
                    raise NotAllowed(error.strerror) from error
                except OSError as error:
                    refusal = error
            assert refusal is not None
            raise refusal
        finally:
            del refusal  # it holds this frame, which would hold it: garbage for each address that refuses

    def _connected(self, family: int, address: Any, origin: Origin) -> Any:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            return self._secured(sock, origin)
        except BaseException:
            sock.close()
            raise

    def _secured(self, sock: Any, origin: Origin) -> Any:
        if origin.scheme != "https":
            return sock
        try:
            context = _context(self._tls, self._protocol)
        except OSError as error:  # for the network's failures it must not be taken
            raise ValueError(f"{self._tls.verify}, {self._tls.cert}: {error}") from error
        return context.wrap_socket(sock, server_hostname=origin.host)


@functools.cache
def _context(tls: Tls, protocol: str) -> Any:
    """One for all who are secured alike: making one reads every authority, and holds up the load by 20 ms."""
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
    context.set_alpn_protocols([protocol])
    return context


def _authorities(path: str) -> dict[str, str]:
    return {"capath": path} if Path(path).is_dir() else {"cafile": path}
