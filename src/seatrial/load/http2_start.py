"""Whether a server speaks HTTP/2, asked before the load begins: one line then, not thousands of failures.

Only a server that shows that it does not keeps a load from its start. One that is not there, or says nothing,
may be what the load is there to measure: that is said, and the load goes on.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable
from typing import Any

import gevent

from seatrial.load.call import locate
from seatrial.load.dial import Dial, Dialer, Origin, Tls
from seatrial.load.failure import CLOSED, NotAllowed, Unanswered, describe
from seatrial.load.http2_connection import ALPN
from seatrial.load.http2_wire import NOT_SPOKEN, Http2Wire
from seatrial.load.names import Names

_WITHIN_S = 2.0
_REFUSED = "NO_APPLICATION_PROTOCOL"  # as OpenSSL names it


def refuse_others(hosts: Iterable[str], dial: Dial | None = None) -> list[str]:
    """Raise ValueError for a host that does not speak HTTP/2. What could not be found out is in the lines."""
    dial = (
        dial or Dialer(Tls(verify=False), Names(), ALPN).dial
    )  # nothing is asked of it, so nothing is trusted
    doubts = []
    for host in dict.fromkeys(hosts):
        origin, _, _ = locate(host)
        wrong, doubt = _asked(origin, dial)
        place = f"{origin.scheme}://{origin.host}:{origin.port}"
        if wrong:
            raise ValueError(f"--http 2: {place} does not speak it: {wrong}; leave it out, or use --http 1.1")
        if doubt:
            doubts.append(f"whether {place} speaks HTTP/2 is not known yet: {doubt}")
    return doubts


def _asked(origin: Origin, dial: Dial) -> tuple[str, str]:
    """What shows that it does not, and why that cannot be told."""
    try:
        with gevent.Timeout(_WITHIN_S):
            sock = dial(origin)
            try:
                return _greeted(sock, origin.scheme == "https")
            finally:
                sock.close()
    except gevent.Timeout:
        return "", f"no answer within {_WITHIN_S:g} s"
    except NotAllowed as error:
        return "", str(error)
    except (OSError, Unanswered) as error:
        if isinstance(error, ssl.SSLError) and _REFUSED in str(error.reason):
            return "TLS refused it (ALPN)", ""
        return "", describe(error)


def _greeted(sock: Any, tls: bool) -> tuple[str, str]:
    if tls and (chosen := sock.selected_alpn_protocol()) != ALPN:
        return f"TLS agreed to {chosen or 'no protocol at all'} (ALPN)", ""
    wire = Http2Wire()
    sock.sendall(wire.output())
    heard = b""
    while not wire.is_settled:
        data = sock.recv(1024)
        if not data:
            return "", CLOSED
        heard += data
        try:
            wire.feed(data)
        except Unanswered as error:
            if str(error) != NOT_SPOKEN:
                return "", str(error)
            return f"it answered {heard.splitlines()[0][:40].decode('latin-1')!r}", ""
    wire.leave()
    with contextlib.suppress(OSError):  # it need not wait for a goodbye
        sock.sendall(wire.output())
    return "", ""
