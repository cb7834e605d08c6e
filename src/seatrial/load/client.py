"""The HTTP client that scenarios use as `self.client`, and the clock that its requests are measured by.

Its methods are those of Locust's sessions (what it lacks, `seatrial.load.not_offered` says). Three things are
different, and are the point of it:

* Time counts from when a request was *due*. The first request of an arrival was due at the arrival's
  intended instant, however late the generator came to it; a further request of the same task is due when it
  is issued.
* A request has a deadline, counted from when it was due: an answer after that is bad. The client waits for a
  whole deadline from when it *sent*, though, and only then is the request on record as never answered: what
  we sent late must not look like a service that is slow. Connecting, redirects and reading all happen within
  that time, also with `stream=True`.
* A request is one exchange and one row. Nothing is sent twice, and no scenario can call a request good that
  was never answered.

`sent` is the instant at which the request was first handed to the kernel, which for a new connection is the
attempt to connect: what the service takes to accept it is the service's time, not the generator's lateness.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, NoReturn

from gevent import Timeout

from seatrial.load import failure
from seatrial.load.body import body_of, encoded
from seatrial.load.call import (
    REDIRECTING,
    Call,
    authority,
    authorized,
    is_agreed,
    locate,
    merged,
    quoted,
    redirected,
    without,
)
from seatrial.load.client_state import ClientSettings, ClientState
from seatrial.load.connection import Pool, Pools
from seatrial.load.deadlines import Deadlines
from seatrial.load.dial import Origin
from seatrial.load.failure import Unanswered
from seatrial.load.not_offered import NotOffered, missing_attribute
from seatrial.load.prepared import Prepared
from seatrial.load.recorder import NEVER
from seatrial.load.response import Response
from seatrial.load.under_way import UnderWay
from seatrial.load.wire import SWITCHING, HeaderList
from seatrial.model.ownfailure import ABANDONED, DROPPED, STOPPED, of_the_machine

_WITH_A_BODY = frozenset(("POST", "PUT", "PATCH"))
_RARE = ("files", "auth", "cookies", "verify", "cert", "stream", "proxies", "hooks")
_COMMON = (
    "name", "catch_response", "context", "params", "data", "json", "headers", "key", "allow_redirects",
    "timeout",
)  # fmt: skip


class Client(ClientState):
    """One virtual user's view of the service: its base address, its cookies, its requests."""

    _answers: ClassVar[type[Response]] = Response

    def __init__(self, settings: ClientSettings, pools: Pools, under_way: UnderWay) -> None:
        super().__init__(settings, pools)
        self.under_way = under_way
        self.user: Any = None
        self.request_event: Any = None
        self._decide = under_way.decide
        self._deadline_s = under_way.deadline_s
        self._deadlines = Deadlines.here()
        self._said = Prepared()

    # requests

    def get(self, url: str, **options: Any) -> Response:
        """Request `url` with GET; see `request` for the options."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Any) -> Response:
        """Request `url` with HEAD; redirects are followed only when asked for."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> Response:
        """Request `url` with OPTIONS."""
        return self.request("OPTIONS", url, **options)

    def delete(self, url: str, **options: Any) -> Response:
        """Request `url` with DELETE."""
        return self.request("DELETE", url, **options)

    def post(self, url: str, data: Any = None, json: Any = None, **options: Any) -> Response:
        """Request `url` with POST."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, **options: Any) -> Response:
        """Request `url` with PUT."""
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Any = None, **options: Any) -> Response:
        """Request `url` with PATCH."""
        return self.request("PATCH", url, data=data, **options)

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] | None = None,
        *,
        params: Any = None,
        data: Any = None,
        json: Any = None,
        headers: Mapping[str, Any] | None = None,
        key: str | None = None,
        allow_redirects: bool = True,
        timeout: Any = None,
        **rare: Any,
    ) -> Response:
        """Request `url`, and put what became of it on record under `name` (`url` by default).

        `url` is an address, or a path that is put behind the base address. `key` is the id of a write,
        recorded so that a check can ask for it afterwards. `timeout` (seconds, or requests' pair of them, of
        which the sum counts) shortens the deadline of this request. A header of None leaves out a default
        one. Redirects are followed to the same host only. `files`, `auth`, `cookies`, `verify` and `cert` are
        as in requests; with `stream` the answer is read within the deadline all the same. Whatever happens on
        the network is in the response, never raised; ValueError is raised for a request that cannot be put
        into words of HTTP, NotOffered for what is not here.
        """
        intended = self.under_way.arrival.take_due()
        decide = self._decide if catch_response else None
        response = self._answers(method, name or self.request_name or url, intended, key, decide)
        if context:
            response.context = dict(context)
        self.under_way.open(response)
        try:
            pool = self._pool
            alike = params is data is json is headers is self.params is self.auth is None and not rare
            if alike and type(url) is str:
                call, words = self._prepared(method, url)
            else:
                call = self._call(
                    method, url, params, data, json, headers, rare.pop("files", None) if rare else None
                )
                if rare or self.auth is not None:
                    call, pool = self._with(call, rare)
                words = self._words(call, pool)
            plain = timeout is None and self._timeout_s is None
            allowed_s = self._deadline_s if plain else self._allowed_s(timeout)
            self._perform(response, call, pool, words, allow_redirects, allowed_s)
        except Exception as error:
            response.ended = NEVER
            if response.handed_over:
                response.error = failure.of_our_code(error)
            else:
                response.sent = NEVER
                response.error = failure.of_the_scenario(error)
            self._decide(response)
            raise
        except BaseException as error:
            response.error = ABANDONED if isinstance(error, Timeout) else STOPPED
            self._decide(response)
            raise
        if not catch_response:
            self._decide(response)
        return response

    def __getattr__(self, name: str) -> NoReturn:
        raise missing_attribute("client", name, dir(Client))

    # one request

    def _perform(
        self, response: Response, call: Call, pool: Pool, words: Any, follow: bool, allowed_s: float
    ) -> None:
        zero_s, clock = self.under_way.arrival.zero_s, time.monotonic
        sent = clock() - zero_s
        if sent - response.intended >= allowed_s:
            response.error = failure.TOO_LATE
            return
        response.sent = sent
        deadline = self._deadlines.start(allowed_s)
        try:
            self._exchange(response, call, pool, words, follow)
            response.ended = clock() - zero_s
        except Timeout as expired:
            if expired is not deadline.expired:
                raise
            response.error = failure.of_time(expired, handed_over=response.handed_over)
            if response.error.startswith(DROPPED):
                response.sent = NEVER
            deadline.expired = None  # it holds this frame and its socket, which would hold it
        except (OSError, Unanswered) as error:
            response.ended = clock() - zero_s
            response.error = failure.describe(error, handed_over=response.handed_over)
            if of_the_machine(error):
                response.ended = NEVER
                if not response.handed_over:
                    response.sent = NEVER
        finally:
            deadline.close()
        if response.ended - response.sent > allowed_s:
            response.ended = NEVER
            response.error = failure.DEADLINE

    def _exchange(self, response: Response, call: Call, pool: Pool, words: Any, follow: bool) -> None:
        for _ in range(self.max_redirects + 1):
            status, headers, content = self._hop(response, call, pool, words)
            following = redirected(call, status, headers) if follow and status in REDIRECTING else None
            response.arrived(call, status, headers, content)
            if following is None:
                return
            response.passed_on()
            call, words = following, self._words(following, pool)
        raise Unanswered(failure.REDIRECTS)

    def _hop(self, response: Response, call: Call, pool: Pool, words: Any) -> tuple[int, HeaderList, bytes]:
        connection = pool.acquire(call.origin)
        response.handed_over = True
        try:
            answer = connection.exchange(words, bodiless=call.method == "HEAD")
            if answer.status == SWITCHING and not is_agreed(call, answer.headers):
                raise Unanswered(failure.NOT_ASKED_FOR)
            result = answer.status, answer.headers, answer.body()
        except BaseException:
            connection.close()
            raise
        pool.release(call.origin, connection)
        if call.origin.host == self._origin.host:
            self.cookies.store(answer.headers)
        return result

    def _prepared(self, method: str, url: str) -> tuple[Call, Any]:
        """A request of which nothing is said but this, and its words."""
        kept = self._said.kept
        under = self._said.under(self._base_url, self._pool, self._headers, self.cookies)
        found = kept.get(under, method, url)
        if found is None:
            call = self._call(method, url, None, None, None, None, None)
            call = replace(call, headers=call.headers.copy())  # this client's own, and not for ever
            found = call, self._words(call, self._pool)
            kept.add(under, method, url, found)
        return found

    def _words(self, call: Call, pool: Pool) -> Any:
        """The request as its carrier sends it, with the cookies that go where it goes."""
        headers, at_home = call.headers, call.origin.host == self._origin.host
        if self.cookies and at_home and "Cookie" not in headers and "cookie" not in headers:
            headers = headers | {"Cookie": self.cookies.header()}
        return pool.words(call.method, call.target, headers, call.body)

    def _call(
        self, method: str, url: Any, params: Any, data: Any, json: Any, headers: Any, files: Any
    ) -> Call:
        method = method.upper()
        if not isinstance(url, str):
            url = url.decode() if isinstance(url, bytes) else str(url)
        if url.startswith(("http://", "https://")):
            origin, target, _ = locate(url)
        else:
            origin, target, url = self._origin, self._prefix + url, self._base_url + url
        if params or self.params:
            query = ("&" if "?" in target else "?") + self._query(params)
            target, url = target + query, url + query
        if data is None and json is None and files is None:
            body, content_type = b"" if method in _WITH_A_BODY else None, ""
        else:
            body, content_type = body_of(data, json, files)
        sent = merged(self._headers_for(origin), headers, content_type)
        return Call(method, url, origin, quoted(target), sent, body)

    def _query(self, params: Any) -> str:
        if not self.params:
            return encoded(params)
        return "&".join(filter(None, (encoded(self.params), encoded(params or ()))))

    def _headers_for(self, origin: Origin) -> dict[str, str]:
        """The base address's own credentials are for its own host alone."""
        if origin is self._origin:
            return self._headers
        headers = without(self._headers, ("host",)) | {"Host": authority(origin)}
        if self._credentials and headers.get("Authorization") == f"Basic {self._credentials}":
            del headers["Authorization"]
        return headers

    def _with(self, call: Call, rare: dict[str, Any]) -> tuple[Call, Pool]:
        """What few requests ask for."""
        for name, value in rare.items():
            if name not in _RARE:
                raise NotOffered(f"{name}=", [f"{each}=" for each in (*_COMMON, *_RARE)])
            if name in ("proxies", "hooks") and value:
                raise NotOffered(f"{name}=")
        auth = rare.get("auth") or self.auth
        if auth is not None:
            call = authorized(call, auth)
        if cookies := rare.get("cookies"):
            value = self.cookies.joined_by(cookies).header()
            call = replace(call, headers=merged(call.headers, {"Cookie": value}, ""))
        verify, cert = rare.get("verify"), rare.get("cert")
        if verify is None and cert is None:
            return call, self._pool
        tls = self._tls._replace(
            verify=self._tls.verify if verify is None else verify, cert=cert or self._tls.cert
        )
        return call, self._pools.of(tls)

    def _allowed_s(self, timeout: Any) -> float:
        """How long a request may take."""
        given = self._timeout_s if timeout is None else timeout
        if given is None:
            return self._deadline_s
        if isinstance(given, tuple | list):
            given = None if None in given else sum(given)
        if given is not None and not isinstance(given, int | float):
            raise NotOffered("timeout=")
        return self._deadline_s if given is None else min(given, self._deadline_s)
