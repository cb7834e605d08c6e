"""Why a request failed, in few and stable words.

Error texts are grouped, counted and compared between runs, so addresses, ports and errno numbers stay out of
them. A failure of the generator's own machine (no descriptor, no port left) is not the service's: such a
request counts as dropped, never as an error of the system under test.
"""

from __future__ import annotations

import errno
import socket
import ssl

DEADLINE = "deadline"
CLOSED = "closed without answer"
CUT_SHORT = "closed amid the answer"
MALFORMED = "malformed answer"
REDIRECTS = "too many redirects"
TOO_LATE = "dropped: the generator was late by more than the deadline"
ABANDONED = "abandoned by the scenario"
STOPPED = "unanswered at the end"

_OF_THE_PEER = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.ETIMEDOUT: "connection timed out",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTDOWN: "host down",
    errno.ENETDOWN: "network down",
    errno.EACCES: "not permitted",
    errno.EPERM: "not permitted",
}
_OUR_OWN = {
    errno.EMFILE: "dropped: too many open files",
    errno.ENFILE: "dropped: too many open files",
    errno.EADDRNOTAVAIL: "dropped: no local port left",
    errno.ENOBUFS: "dropped: no memory for sockets",
    errno.ENOMEM: "dropped: no memory for sockets",
}


class RequestFailed(Exception):  # noqa: N818  # what happened; also the name that Locust's statistics show
    """A request's failure as Locust's statistics get it. Its text is the log's `error`."""


class Unanswered(Exception):  # noqa: N818
    """The connection carried no complete answer; the text says how."""


class NotAllowed(Exception):  # noqa: N818
    """The scenario asked for a host that it may not touch.

    Its own mistake, raised to it, and unlike everything else about the network no failure of the service.
    """


def of_the_scenario(error: BaseException) -> str:
    """The text for an arrival that came to nothing because the scenario's own code failed."""
    return f"dropped: the scenario failed: {type(error).__name__}"


def describe(error: Exception) -> str:
    """The canonical text for what went wrong on the network."""
    if isinstance(error, Unanswered):
        return str(error)
    if isinstance(error, socket.gaierror):
        return "dns"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return CLOSED
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "handshake failed"
        return f"tls: {str(reason).lower().replace('_', ' ')}"
    if isinstance(error, OSError):
        number = error.errno or 0
        return (
            _OF_THE_PEER.get(number)
            or _OUR_OWN.get(number)
            or f"network: {errno.errorcode.get(number, 'unknown')}"
        )
    return f"{type(error).__name__}: {error}"


def is_our_own(error: BaseException) -> bool:
    """Whether the generator's own machine refused, so that the target never got to see the request."""
    return (
        isinstance(error, OSError)
        and error.errno in _OUR_OWN
        and not isinstance(error, ssl.SSLError | socket.gaierror)
    )
