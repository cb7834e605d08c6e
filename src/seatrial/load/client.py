"""The HTTP client that scenarios use as `self.client`, and the clock that its requests are measured by.

Its methods are those that Locust users know. Two things are different, and are the point of it:

* Time counts from when a request was *due*. The first request of an arrival was due at the arrival's
  intended instant, however late the generator came to it; a further request of the same task is due when it
  is issued.
* A request has a deadline, counted from when it was due: an answer after that is bad. The client waits for a
  whole deadline from when it *sent*, though, and only then is the request on record as never answered: what
  we sent late must not look like a service that is slow. Connecting, redirects and reading all happen within
  that time.

`sent` is the instant at which the request was first handed to the kernel, which for a new connection is the
attempt to connect: what the service takes to accept it is the service's time, not the generator's lateness.
"""

from __future__ import annotations

import base64
import json as jsonlib
import re
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from gevent import Timeout

from seatrial.load import failure
from seatrial.load.arrival import Arrival
from seatrial.load.connection import ConnectionPool, Origin
from seatrial.load.cookies import CookieJar
from seatrial.load.failure import Unanswered
from seatrial.load.recorder import NEVER
from seatrial.load.response import Response
from seatrial.load.wire import HeaderList, request_bytes
from seatrial.model.ownfailure import ABANDONED, STOPPED, of_the_machine

_MOST_REDIRECTS = 10
_REDIRECTING = frozenset((301, 302, 303, 307, 308))
_IN_A_PATH = "/?#[]@!$&'()*+,;=:%-._~"  # what RFC 3986 allows besides letters and digits
_PLAIN = re.compile(r"[!-~]+")
_WITH_A_BODY = frozenset(("POST", "PUT", "PATCH"))
_PORTS = {"http": 80, "https": 443}

_DEFAULT_HEADERS = {"User-Agent": "seatrial", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

Body = str | bytes | Mapping[str, Any] | list[tuple[str, Any]] | None
Report = Callable[[Response], None]


class Client:
    """One virtual user's view of the service: its base address, its cookies, its requests."""

    def __init__(
        self, base_url: str, pool: ConnectionPool, arrival: Arrival, deadline_s: float, report: Report
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._origin, self._prefix, credentials = locate(self._base_url)
        self._pool = pool
        self._deadline_s = deadline_s
        self._report = report
        self._open: list[Response] = []
        self.arrival = arrival
        self.cookies = CookieJar()
        self.headers = {"Host": authority(self._origin), **_DEFAULT_HEADERS}
        if credentials:
            self.headers["Authorization"] = f"Basic {credentials}"

    def get(self, path: str, **options: Any) -> Response:
        """Request `path` with GET; see `request` for the options."""
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Any) -> Response:
        """Request `path` with HEAD; redirects are followed only when asked for."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Any) -> Response:
        """Request `path` with OPTIONS."""
        return self.request("OPTIONS", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """Request `path` with DELETE."""
        return self.request("DELETE", path, **options)

    def post(self, path: str, data: Body = None, json: Any = None, **options: Any) -> Response:
        """Request `path` with POST."""
        return self.request("POST", path, data=data, json=json, **options)

    def put(self, path: str, data: Body = None, **options: Any) -> Response:
        """Request `path` with PUT."""
        return self.request("PUT", path, data=data, **options)

    def patch(self, path: str, data: Body = None, **options: Any) -> Response:
        """Request `path` with PATCH."""
        return self.request("PATCH", path, data=data, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        params: Mapping[str, Any] | None = None,
        data: Body = None,
        json: Any = None,
        headers: Mapping[str, str | None] | None = None,
        key: str | None = None,
        catch_response: bool = False,
        allow_redirects: bool = True,
        timeout: float | None = None,
        context: dict[str, Any] | None = None,
    ) -> Response:
        """Request `path`, and put what became of it on record under `name` (`path` by default).

        `key` is the id of a write, recorded so that a check can ask for it afterwards. `timeout` (seconds)
        shortens the deadline of this request. A header of None leaves out a default one. Redirects are
        followed to the same host only. Whatever happens on the network is in the response, never raised;
        ValueError is raised for a request that cannot be put into words of HTTP.
        """
        intended = self.arrival.take_due()
        settle = self._settle if catch_response else None
        response = Response(method, name or path, intended, key, settle)
        if context:
            response.context = context
        self._open.append(response)
        try:
            call = self._call(method, path, params, data, json, headers)
            self._perform(response, call, allow_redirects, timeout)
        except Exception as error:
            response.ended = NEVER
            if response.handed_over:
                response.error = failure.of_our_code(error)
            else:
                response.sent = NEVER
                response.error = failure.of_the_scenario(error)
            self._settle(response)
            raise
        except BaseException as error:
            response.error = ABANDONED if isinstance(error, Timeout) else STOPPED
            self._settle(response)
            raise
        if not catch_response:
            self._settle(response)
        return response

    # the arrival's side

    def depart(self) -> None:
        """The arrival is over: what the scenario has left undecided is decided by its status."""
        while self._open:
            self._settle(self._open[0])

    def in_flight(self) -> list[Response]:
        """Requests that are not on record yet."""
        return self._open

    def off_record(self) -> None:
        """The load is over: what is sent from now on is no part of it."""
        self._report = _keep_to_oneself

    # the request's side

    def _settle(self, response: Response) -> None:
        if response in self._open:
            self._open.remove(response)
            self._report(response)

    def _perform(self, response: Response, call: _Call, follow: bool, timeout: float | None) -> None:
        zero_s, clock = self.arrival.zero_s, time.monotonic
        allowed_s = self._deadline_s if timeout is None else min(timeout, self._deadline_s)
        sent = clock() - zero_s
        if sent - response.intended >= allowed_s:
            response.error = failure.TOO_LATE
            return
        response.sent = sent
        timer = Timeout(allowed_s)
        timer.start()
        try:
            self._exchange(response, call, follow)
            response.ended = clock() - zero_s
        except Timeout as expired:
            if expired is not timer:
                raise
            response.error = failure.DEADLINE
        except (OSError, Unanswered) as error:
            response.ended = clock() - zero_s
            response.error = failure.describe(error, handed_over=response.handed_over)
            if of_the_machine(error):
                response.ended = NEVER
                if not response.handed_over:
                    response.sent = NEVER
        finally:
            timer.close()
        if response.ended - response.sent > allowed_s:
            response.ended = NEVER
            response.error = failure.DEADLINE

    def _exchange(self, response: Response, call: _Call, follow: bool) -> None:
        for _ in range(_MOST_REDIRECTS + 1):
            status, headers, content = self._hop(response, call)
            following = _redirected(call, status, headers) if follow and status in _REDIRECTING else None
            if following is None:
                response.status_code, response.raw_headers, response.content = status, headers, content
                response.url = call.url
                return
            call = following
        raise Unanswered(failure.REDIRECTS)

    def _hop(self, response: Response, call: _Call) -> tuple[int, HeaderList, bytes]:
        at_home = call.origin.host == self._origin.host
        headers = (
            call.headers | {"Cookie": self.cookies.header()} if self.cookies and at_home else call.headers
        )
        request = request_bytes(call.method, call.target, headers, call.body)
        connection = self._pool.acquire(call.origin)
        response.handed_over = True
        try:
            answer = connection.exchange(request, bodiless=call.method == "HEAD")
            result = answer.status, answer.headers, answer.body()
        except BaseException:
            connection.close()
            raise
        self._pool.release(call.origin, connection)
        if at_home:
            self.cookies.store(answer.headers)
        return result

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Body,
        json: Any,
        headers: Mapping[str, str | None] | None,
    ) -> _Call:
        if path.startswith(("http://", "https://")):
            origin, target, _ = locate(path)
            url = path
        else:
            origin, target, url = self._origin, self._prefix + path, self._base_url + path
        if params:
            query = ("&" if "?" in target else "?") + urlencode(params, doseq=True)
            target, url = target + query, url + query
        body, content_type = _body(data, json)
        if body is None and method in _WITH_A_BODY:
            body = b""
        sent = _merged(self._headers_for(origin), headers, content_type)
        return _Call(method, url, origin, _quoted(target), sent, body)

    def _headers_for(self, origin: Origin) -> dict[str, str]:
        if origin is self._origin:
            return self.headers
        return {k: v for k, v in self.headers.items() if k != "Authorization"} | {"Host": authority(origin)}


def _keep_to_oneself(response: Response) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request in the words of HTTP. `url` is for people and for resolving redirects."""

    method: str
    url: str
    origin: Origin
    target: str
    headers: dict[str, str]
    body: bytes | None


def locate(url: str) -> tuple[Origin, str, str]:
    """The origin, the path with its query, and the credentials (base64) of an absolute address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise ValueError(f"'{url}' is not an http:// or https:// address") from error
    if not parts.hostname:
        raise ValueError(f"'{url}' is not an http:// or https:// address")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = base64.b64encode(login.encode()).decode() if parts.username else ""
    return Origin(parts.scheme, parts.hostname, port), target, credentials


def authority(origin: Origin) -> str:
    """The Host header for `origin`."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if _PORTS[origin.scheme] == origin.port else f"{host}:{origin.port}"


def _redirected(call: _Call, status: int, headers: HeaderList) -> _Call | None:
    """The request that a redirect asks for; None when it leads nowhere or to another host.

    A test may touch only the hosts that it was pointed at, so an answer that sends the user elsewhere is the
    end of the request.
    """
    location = next((value for name, value in headers if name.lower() == b"location"), None)
    if location is None:
        return None
    url = urljoin(call.url, location.decode("latin-1"))
    try:
        origin, target, _ = locate(url)
    except ValueError:
        return None
    if origin.host != call.origin.host:
        return None
    sent = call.headers | {"Host": authority(origin)}
    if status in (307, 308) or (call.method == "HEAD" or (status != 303 and call.method != "POST")):
        return _Call(call.method, url, origin, _quoted(target), sent, call.body)
    return _Call("GET", url, origin, _quoted(target), _without(sent, ("content-type",)), None)


def _body(data: Body, json: Any) -> tuple[bytes | None, str]:
    """The request's content and its type ("" for none, or for the scenario to say)."""
    if json is not None:
        return jsonlib.dumps(json, separators=(",", ":")).encode(), "application/json"
    if data is None or isinstance(data, bytes):
        return data, ""
    if isinstance(data, str):
        return data.encode(), ""
    return urlencode(data, doseq=True).encode(), "application/x-www-form-urlencoded"


def _merged(
    base: dict[str, str], given: Mapping[str, str | None] | None, content_type: str
) -> dict[str, str]:
    """`base`, and `given` over it whatever the case of the names; None takes a header away."""
    if content_type:
        base = base | {"Content-Type": content_type}
    if not given:
        return base
    kept = _without(base, {name.lower() for name in given})
    return kept | {name: value for name, value in given.items() if value is not None}


def _without(headers: dict[str, str], names: Container[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _quoted(target: str) -> str:
    """`target` as it may stand in a request line: percent-encoded where it has to be."""
    target = target.partition("#")[0] or "/"
    if not target.startswith("/"):
        target = "/" + target
    return target if _PLAIN.fullmatch(target) else quote(target, safe=_IN_A_PATH)
