"""Every way in which a server may be hostile to a load generator, and what the request log must say of it.

A behaviour is what is sent (bytes, and seconds of silence between), whether that is begun again and again, what
is done with the connection then, and the reason that the row of the request must carry: "" where the answer is
good. `where` is the listener of `tests.support.hostile_server` that shows it; one of its own name is a listener
that behaves so whatever is sent to it, before there is any TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.http_answers import ANSWERS, answer

Step = bytes | float

CLOSED, CUT_SHORT, RESET, DEADLINE = (
    *("closed without answer", "closed amid the answer"),
    *("connection reset", "deadline"),
)
MALFORMED, UNTRUSTED = "malformed answer", "tls: certificate verify failed: "
PLAIN, APART, TLS = "plain", "apart", "tls"
UNKNOWN_CA, WRONG_NAME, EXPIRED = "of an unknown authority", "of another name", "expired"
_HEAD = b"HTTP/1.1 200 OK\r\n"
_LONG = b"Content-Length: 100\r\n\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_LARGER_THAN_ANY_HEAD = 1 << 19
_SLOW_S, _MOMENT_S = 0.2, 0.002
_LATER = "good, and more later"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One of them. `then`: "" (stay), close, reset, half (say no more, and listen) or hold (never answer)."""

    steps: tuple[Step, ...]
    then: str = ""
    reason: str = ""
    or_reasons: tuple[str, ...] = ()  # where that depends on Python
    endless: bool = False
    where: str = PLAIN


def _as(path: str, reason: str = "", where: str = PLAIN) -> Behaviour:
    data, then = ANSWERS[path]
    return Behaviour((data,), then, reason, where=where)


def _byte_by_byte(data: bytes, pause_s: float) -> tuple[Step, ...]:
    return tuple(step for byte in data for step in (bytes([byte]), pause_s))


def _over_and_over(data: bytes) -> bytes:
    return data * (_LARGER_THAN_ANY_HEAD // len(data))


BEHAVIOURS: dict[str, Behaviour] = {
    "good": _as("/plain"),
    "good, chunked": _as("/chunked"),
    "good, until the end": _as("/until-close"),
    "good, byte by byte": Behaviour(_byte_by_byte(b"HTTP/1.1 204 N\r\n\r\n", _MOMENT_S)),
    "good, and more at once": _as("/surplus"),
    _LATER: Behaviour(
        (answer(), _MOMENT_S, answer(b"", "408 Request Timeout", "Connection: close")), "half", where=APART
    ),
    "reset before the head": _as("/silent-reset", RESET),
    "reset amid the head": Behaviour((_HEAD + b"Content-Le",), "reset", RESET),
    "reset amid the body": _as("/cut-reset", RESET),
    "half-closed, no answer": Behaviour((), "half", CLOSED),
    "half-closed amid the body": Behaviour((_HEAD + _LONG + b"only this",), "half", CUT_SHORT),
    "closed amid the head": _as("/cut-head", CUT_SHORT),
    "closed amid a chunk": _as("/cut-chunk", CUT_SHORT),
    "silence": _as("/hang", DEADLINE),
    "slow head": Behaviour((*(_HEAD + b"X-Slow: ",), *_byte_by_byte(b"y", _SLOW_S)), "", DEADLINE, endless=True),
    "slow body": Behaviour((b"HTTP/1.1 200 OK\r\n\r\n", *_byte_by_byte(b"y" * 1000, _SLOW_S)), "", DEADLINE),
    "endless body": Behaviour((_CHUNKED, *(b"5\r\nnever\r\n", 0.05) * 10_000), "", DEADLINE),
    "no HTTP": _as("/garbage", MALFORMED),
    "no text": Behaviour((bytes(range(256)) * 4,), "close", MALFORMED),
    "another protocol": Behaviour((b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",), "", MALFORMED),
    "protocols switched": _as("/switch", f"{MALFORMED}: a switch of protocols that was not asked for"),
    "a coding that is not undone": Behaviour(
        (_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",), "",
        f"{MALFORMED}: unknown transfer coding",
    ),
    "no status": Behaviour((b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",), "", MALFORMED),
    "status 099": Behaviour((answer(b"", "099 Nothing"),), "", MALFORMED),
    "no chunk size": Behaviour((_CHUNKED + b"zz\r\nzz\r\n",), "", MALFORMED),
    "lengths that differ": Behaviour((answer(b"aye", "200 OK", "Content-Length: 4"),), "", MALFORMED),
    "no length": Behaviour((_HEAD + b"Content-Length: -1\r\n\r\n",), "", MALFORMED),
    "broken coding": _as("/broken-gzip", f"{MALFORMED}: broken content coding"),
    "oversized head": Behaviour(
        (_HEAD + _over_and_over(b"X-Large: " + b"y" * 1013 + b"\r\n"),), "hold",
        f"{MALFORMED}: a head without an end",
    ),
    "interim answers": Behaviour(
        (_over_and_over(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),), "hold",
        f"{MALFORMED}: interim answers without an end",
    ),
    "redirect to nowhere": Behaviour((answer(b"", "302 Found", "Location: http://["),)),
    "cookie of no age": Behaviour(
        (answer(b"", "200 OK", "Set-Cookie: a=b; Expires=Mon, 01 Jan 9999999999 00:00:00 GMT"),)
    ),
    "TLS, good": _as("/plain", where=TLS),
    # CPython before 3.12.4 takes a reset for an end (its issue 115627), and what was not read yet is gone with it
    "TLS, reset amid the body": Behaviour(
        ANSWERS["/cut-reset"][:1], "reset", RESET, (CUT_SHORT, CLOSED), where=TLS
    ),
    "TLS, half an answer": _as("/cut", CUT_SHORT, TLS),
    "TLS, unknown authority": Behaviour(
        (), "", f"{UNTRUSTED}unable to get local issuer certificate", where=UNKNOWN_CA
    ),
    "TLS, another name": Behaviour((), "", f"{UNTRUSTED}IP address mismatch", where=WRONG_NAME),
    "TLS, expired": Behaviour((), "", f"{UNTRUSTED}certificate has expired", where=EXPIRED),
    "TLS, spoken plainly": Behaviour(
        (answer(b"", "400 Bad Request"),), "close", "tls: wrong version number", where="TLS, spoken plainly"
    ),
    "TLS, reset amid the hello": Behaviour((), "reset", RESET, where="TLS, reset amid the hello"),
    "TLS, closed amid the hello": Behaviour((), "close", CLOSED, where="TLS, closed amid the hello"),
    "TLS, silence": Behaviour((), "hold", DEADLINE, where="TLS, silence"),
}  # fmt: skip
CROSSED = "HTTP 408"  # what came later was taken for the answer to a request that was on its way: no client can tell
CERTIFICATES = (TLS, UNKNOWN_CA, WRONG_NAME, EXPIRED)
LISTENERS = tuple(dict.fromkeys(each.where for each in BEHAVIOURS.values()))


def is_secured(where: str) -> bool:
    """Whether the client is told that this listener speaks TLS."""
    return where not in (PLAIN, APART)


def may_say(name: str, reason: str) -> bool:
    """Whether a row of this behaviour may give this reason."""
    behaviour = BEHAVIOURS.get(name)
    return behaviour is not None and reason in (behaviour.reason, *behaviour.or_reasons)


def path_of(name: str) -> str:
    """What is asked for, to be treated so."""
    return "/" + name.replace(", ", "/").replace(" ", "-")


def addresses(ports: Mapping[str, int]) -> list[tuple[str, str]]:
    """Each behaviour's name, and where it is shown."""
    return [
        (name, f"http{'s' * is_secured(each.where)}://127.0.0.1:{ports[each.where]}{path_of(name)}")
        for name, each in BEHAVIOURS.items()
    ]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows by behaviour and reason, and what the server has counted of its side."""

    rows: Mapping[tuple[str, str], int]
    asked: Mapping[str, int] = field(default_factory=dict)  # requests, by behaviour
    crossed: int = 0  # requests that were on their way when an answer came that nobody had asked for

    def wrong(self) -> list[str]:
        """What is not as it must be."""
        allowed = {(_LATER, CROSSED)} if self.rows.get((_LATER, CROSSED), 0) <= self.crossed else set()
        found = [
            f"{name}: {count:,} rows say {reason or 'good'!r}"
            for (name, reason), count in self.rows.items()
            if not may_say(name, reason) and (name, reason) not in allowed
        ]
        return found + [
            f"{name}: {rows:,} rows, and the server was asked {self.asked[name]:,} times"
            for name, rows in self.by_behaviour().items()
            if name in self.asked and self.asked[name] != rows
        ]

    def by_behaviour(self) -> dict[str, int]:
        """How many rows each has."""
        sums: dict[str, int] = dict.fromkeys(BEHAVIOURS, 0)
        for (name, _), count in self.rows.items():
            sums[name] = sums.get(name, 0) + count
        return sums
