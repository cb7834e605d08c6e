"""Why a request failed, in few and stable words.

Error texts are grouped, counted and compared between runs, so addresses, ports and errno numbers stay out of
them. A failure of the generator's own machine (no descriptor, no port left, no address for a name, a firewall
or an interface of ours) is not the service's: it is told in the words of `model.ownfailure`, and never counts
as an error of the system under test.
"""

from __future__ import annotations

import errno
import ssl

from seatrial.model.ownfailure import DROPPED, OWN, of_the_machine

DEADLINE = "deadline"
CLOSED = "closed without answer"
CUT_SHORT = "closed amid the answer"
MALFORMED = "malformed answer"
NOT_ASKED_FOR = f"{MALFORMED}: a switch of protocols that was not asked for"
TOO_LARGE = "answer too large"  # to be held in memory
REDIRECTS = "too many redirects"
NAME_LOST = "the name has no address any more"  # as DNS says to everybody: no failure of this machine
_NOT_RESOLVED = "no answer about the name within the deadline"
TOO_LATE = f"{DROPPED}the generator was late by more than the deadline"

_OF_THE_PEER = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.ETIMEDOUT: "connection timed out",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host down",
}

COUNTED = "seatrial_counted"  # marks a line of the log whose error is counted already


class RequestFailed(Exception):  # noqa: N818  # what happened; also the name that Locust's statistics show
    """A request's failure as Locust's statistics get it. Its text is the log's `error`."""


class Unanswered(Exception):  # noqa: N818
    """The connection carried no complete answer; the text says how."""


class NotAllowed(Exception):  # noqa: N818
    """The scenario asked for a host that it may not touch.

    Its own mistake, raised to it, and unlike everything else about the network no failure of the service.
    """


def put_on_record(error: BaseException) -> None:
    """A request has failed with this error, and says so in the log: it is nobody's mistake beside that."""
    error.seatrial_on_record = True  # type: ignore[attr-defined]


def is_on_record(error: BaseException) -> bool:
    """Whether a request in the log has failed with this error."""
    return getattr(error, "seatrial_on_record", False)


def while_resolving(expired: BaseException) -> None:
    """The time was up while a name was being looked up: nobody knows whose fault that is."""
    expired.seatrial_resolving = True  # type: ignore[attr-defined]


def of_time(expired: BaseException, *, handed_over: bool) -> str:
    """The text for a request whose time was up. `handed_over`: one had gone out, as before a redirect."""
    if not getattr(expired, "seatrial_resolving", False):
        return DEADLINE
    return (OWN if handed_over else DROPPED) + _NOT_RESOLVED


def of_the_scenario(error: BaseException) -> str:
    """The text for an arrival that came to nothing because the scenario's own code failed."""
    return f"{DROPPED}the scenario failed: {type(error).__name__}"


def of_our_code(error: BaseException) -> str:
    """The text for a request that was sent, after which our own code failed."""
    return f"{OWN}{type(error).__name__}"


def describe(error: Exception, *, handed_over: bool = False) -> str:
    """The canonical text for what went wrong on the network.

    `handed_over`: the request had gone out when it did, so that the service may have seen it.
    """
    if isinstance(error, Unanswered):
        return str(error)
    if ours := of_the_machine(error):
        return (OWN if handed_over else DROPPED) + ours
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return CLOSED
    if isinstance(error, ssl.SSLError):
        return f"tls: {_of_tls(error)}"
    if isinstance(error, OSError):
        number = error.errno or 0
        return _OF_THE_PEER.get(number) or f"network: {errno.errorcode.get(number, 'unknown')}"
    return f"{type(error).__name__}: {error}"


def _of_tls(error: ssl.SSLError) -> str:
    """In OpenSSL's words; of a certificate also what is wrong with it, not the name that was asked for."""
    reason = str(getattr(error, "reason", None) or "handshake failed").lower().replace("_", " ")
    detail = getattr(error, "verify_message", "").partition(",")[0]
    return f"{reason}: {detail}" if detail else reason
