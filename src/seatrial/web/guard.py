"""What stands before every page: who is asked for, how much is sent, what a browser may do with it.

    Host ─► method ─► length ─► same origin, for what changes something ─► body, in time ─► app

* A page of somebody else's can have its own name lead to this address (DNS rebinding). Then the browser
  names that host, and is refused: addresses in digits, `localhost` and names that were given are ours.
* A browser says which page a request comes from (`Origin`, `Sec-Fetch-Site`). What changes something is done
  for our own pages alone, and for programs that show the token themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 16 << 10  # bytes
MOST_HEADERS = 16 << 10  # bytes
MOST_ADDRESS = 4 << 10  # bytes of path and query
BODY_WITHIN_S = 10.0
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not say where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_READS = ("GET", "HEAD")


class Guard:
    """The ASGI application `app`, guarded. `names`: hosts beside the loopback's by which it may be called."""

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse to."""
        if scope["type"] != "http":
            return
        sending = _with_headers(send)
        refusal = self._refusal(scope)
        if refusal is None and scope["method"] not in _READS:
            try:
                async with asyncio.timeout(BODY_WITHIN_S):
                    body = await _whole_body(receive)
            except TimeoutError:
                refusal = _refused(408, "the request did not come to its end in time")
            else:
                if body is None:
                    refusal = _refused(413, f"more than {MOST_BODY} bytes")
                else:
                    receive = _replayed(body, receive)
        await (refusal or self._app)(scope, receive, sending)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1 or not self._is_ours(headers["host"]):
            return _refused(
                421, "this host is not served here; to allow its name: seatrial serve --name HOST"
            )
        if scope["method"] not in (*_READS, "POST"):
            return _refused(405, "only GET, HEAD and POST are known here")
        if sum(len(name) + len(value) for name, value in headers.raw) > MOST_HEADERS:
            return _refused(431, f"headers have {MOST_HEADERS} bytes at most")
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > MOST_ADDRESS:
            return _refused(414, f"an address has {MOST_ADDRESS} bytes at most")
        return None if scope["method"] in _READS else _refusal_to_change(headers)

    def _is_ours(self, host: str) -> bool:
        name = _name_of(host)
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def _refusal_to_change(headers: Headers) -> PlainTextResponse | None:
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BODY:
        return _refused(413, f"more than {MOST_BODY} bytes")
    return None if comes_from_us(headers) else _refused(403, "this was asked for by a page of another site")


def comes_from_us(headers: Headers) -> bool:
    """Whether a page of ours, or a program that shows a token itself, makes this request.

    The scheme of the origin is left out: whoever puts TLS before us speaks plain HTTP with us.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        scheme, separator, place = origin.partition("://")
        return bool(separator) and scheme in ("http", "https") and place.lower() == headers["host"].lower()
    return site == "same-origin" or "authorization" in headers


def _name_of(host: str) -> str:
    """The host without its port, in lower case."""
    host = host.lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and not name.endswith(":") else host


def _refused(status: int, why: str) -> PlainTextResponse:
    return PlainTextResponse(why + "\n", status, {"Connection": "close"})


async def _whole_body(receive: Receive) -> bytes | None:
    """The body; None when it is too long."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BODY:
            return None
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
