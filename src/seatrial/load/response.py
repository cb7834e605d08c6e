"""What a scenario gets back from a request, and what the request log gets out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import Message
from http.client import responses
from math import isnan
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from locust.exception import CatchResponseError, LocustError, ResponseError
from requests.exceptions import ConnectionError, HTTPError, JSONDecodeError  # noqa: A004

from seatrial.load.call import REDIRECTING, Call
from seatrial.load.cookies import CookieJar
from seatrial.load.failure import RequestFailed
from seatrial.load.not_offered import NotOffered, missing_attribute
from seatrial.load.recorder import NEVER
from seatrial.load.wire import HeaderList, Headers
from seatrial.model.ownfailure import SCENARIO, in_other_words
from seatrial.model.secrets import shown

_LONGEST_ERROR = 200  # characters; scenarios put whole answers into error texts


class BadStatus(ResponseError, HTTPError):  # noqa: N818  # what it says
    """From `raise_for_status`: an answer with a status of 400 or above. Also requests' HTTPError."""


class NoAnswer(ResponseError, ConnectionError):  # noqa: N818
    """From `raise_for_status`: no answer. Also requests' ConnectionError."""


class ScenarioRaised(RequestFailed):
    """The scenario raised while it looked at an answer that had nothing wrong with it."""


class Response:
    """An answer, or the lack of one: then `status_code` is 0, `error` says why and the content is empty.

    With `catch_response=True` it is a context manager, and `success()` and `failure()` decide about it.
    """

    __slots__ = (
        "_call",
        "_caught",
        "_decide",
        "_encoding",
        "_headers",
        "_request",
        "_verdict",
        "content",
        "context",
        "ended",
        "error",
        "handed_over",
        "history",
        "intended",
        "js",
        "key",
        "method",
        "name",
        "raw_headers",
        "sent",
        "status_code",
        "url",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        name: str,
        intended: float,
        key: str | None,
        decide: Callable[[Response], None] | None,
    ) -> None:
        self.method = method
        self.name = name
        self.key = key
        self.intended = intended
        self.sent = NEVER
        self.ended = NEVER
        self.status_code = 0
        self.error = ""  # why there is no answer
        self.handed_over = False  # a connection was there, and the request was about to go out on it
        self.content = b""
        self.raw_headers: HeaderList = []
        self.url = ""
        self.history: list[Response] = []  # the redirects that led here
        self.context: dict[str, Any] = {}
        self.js: Any = None  # for `self.rest`
        self._call: Call | None = None  # as it was sent last
        self._request: Call | None = None
        self._encoding: str | None = None
        self._headers: Headers | None = None
        self._decide = decide  # with catch_response only: called when the scenario has decided
        self._caught = False
        self._verdict: bool | Exception | None = None

    def arrived(self, call: Call, status: int, headers: HeaderList, content: bytes) -> None:
        """The answer to `call` is there."""
        self._call, self._request, self.url = call, None, call.url
        self.status_code, self.raw_headers, self.content = status, headers, content

    def passed_on(self) -> None:
        """It was a redirect that is followed: the answer is still to come."""
        passed = Response(self.method, self.name, self.intended, self.key, None)
        assert self._call is not None
        passed.arrived(self._call, self.status_code, self.raw_headers, self.content)
        self.history.append(passed)
        self.status_code, self.raw_headers, self.content = 0, [], b""

    @property
    def request(self) -> Call | None:
        """As it was sent last. Its headers are the scenario's to change, for others send the same request."""
        if self._request is None and self._call is not None:
            self._request = replace(self._call, headers=dict(self._call.headers))
        return self._request

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        return len(self.content)

    @property
    def ok(self) -> bool:
        """Whether there is an answer with a status below 400."""
        return not self.error and 0 < self.status_code < 400

    def __bool__(self) -> bool:
        return self.ok

    @property
    def headers(self) -> Headers:
        """The answer's headers; names in any case."""
        if self._headers is None:
            self._headers = Headers(self.raw_headers)
        return self._headers

    @property
    def reason(self) -> str:
        """The status in words."""
        return responses.get(self.status_code, "")

    @property
    def cookies(self) -> CookieJar:
        """Those that this answer sets."""
        jar = CookieJar()
        jar.store(self.raw_headers)
        return jar

    @property
    def encoding(self) -> str:
        """The charset of the text: the answer's own if it names one, else UTF-8. It may be set."""
        if self._encoding is None:
            message = Message()
            message["Content-Type"] = self.headers.get("content-type", "")
            self._encoding = message.get_content_charset("utf-8")
        return self._encoding

    @encoding.setter
    def encoding(self, encoding: str | None) -> None:
        self._encoding = encoding

    @property
    def text(self) -> str:
        """The content as text."""
        try:
            return self.content.decode(self.encoding, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    @property
    def is_redirect(self) -> bool:
        """Whether it leads on to somewhere else."""
        return "location" in self.headers and self.status_code in REDIRECTING

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The content in pieces. It has been read whole, within the deadline."""
        content: bytes | str = self.text if decode_unicode else self.content
        size = chunk_size or len(content) or 1
        return (content[at : at + size] for at in range(0, len(content), size))

    def iter_lines(
        self,
        chunk_size: int = 512,  # noqa: ARG002  # as in requests: how much is read at once
        decode_unicode: bool = False,
        delimiter: Any = None,
    ) -> Iterator[Any]:
        """The content line by line."""
        content: Any = self.text if decode_unicode else self.content
        yield from content.split(delimiter) if delimiter else content.splitlines()

    def close(self) -> None:
        """Accepted; the answer has been read to its end."""

    def json(self, **options: Any) -> Any:
        """The content as JSON. Raises requests' JSONDecodeError, a ValueError, when it is not."""
        try:
            return json.loads(self.content, **options)
        except json.JSONDecodeError as error:
            raise JSONDecodeError(error.msg, error.doc, error.pos) from error

    @property
    def elapsed(self) -> timedelta:
        """From sending to the end of the answer; zero without one. Reports count from when it was due."""
        took = self.ended - self.sent
        return timedelta(seconds=0.0 if isnan(took) else took)

    @property
    def served_by(self) -> str:
        """Who answered: the headers X-Release and X-Region as `release/region`, either alone, or nothing."""
        release = region = b""
        for name, value in self.raw_headers:
            size = len(name)
            if size == 9 and name.lower() == b"x-release":
                release = value
            elif size == 8 and name.lower() == b"x-region":
                region = value
        both = release + b"/" + region if release and region else release or region
        return both.decode("latin-1")

    @property
    def request_meta(self) -> RequestMeta:
        """What Locust's listeners are told of it; the name, the method and the context may be set."""
        return RequestMeta(self)

    def raise_for_status(self) -> None:
        """Raise BadStatus or NoAnswer unless `ok`, or what the scenario has decided."""
        if isinstance(self._verdict, Exception):
            raise self._verdict
        if self.error:
            raise NoAnswer(self.error, response=self)
        if not self.ok and self._verdict is None:
            raise BadStatus(f"HTTP {self.status_code}", response=self)

    def success(self) -> None:
        """Accept the answer whatever its status. An answer that never came cannot be accepted."""
        self._needs_a_with_block()
        self._verdict = True

    def failure(self, reason: str | Exception) -> None:
        """Reject the answer whatever its status."""
        self._needs_a_with_block()
        self._verdict = reason if isinstance(reason, Exception) else CatchResponseError(str(reason))

    def judge(self) -> tuple[bool, str, Exception | None]:
        """Whether the scenario accepts the answer; if not, why, for the log and for Locust's statistics."""
        verdict = self._verdict
        if self.error:
            return False, self.error, RequestFailed(self.error)
        if isinstance(verdict, Exception):
            reason = str(verdict) or type(verdict).__name__
            if not isinstance(verdict, ScenarioRaised):
                reason = in_other_words(reason)
            reason = shown(" ".join(reason.split()))  # first whole: half a secret is not recognised
            return False, reason[:_LONGEST_ERROR], verdict
        if verdict is True or self.status_code < 400:
            return True, "", None
        reason = f"HTTP {self.status_code}"
        return False, reason, RequestFailed(reason)

    def __enter__(self) -> Self:
        if self._decide is None:
            raise LocustError("a with-block around a request needs catch_response=True")
        self._caught = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        expected = isinstance(error, ResponseError)  # from raise_for_status: a rejection, not a mistake
        if isinstance(error, Exception) and self._verdict is None:
            if expected:
                self._verdict = error
            elif self.ok:  # what the service answered badly stays the service's failure
                self._verdict = ScenarioRaised(f"{SCENARIO}{type(error).__name__}: {error}")
        assert self._decide is not None
        self._decide(self)
        return expected

    def __getattr__(self, name: str) -> NoReturn:
        raise missing_attribute("response", name, dir(Response))

    def _needs_a_with_block(self) -> None:
        if not self._caught:
            raise LocustError(
                "success() and failure() belong into a with-block around a request with catch_response=True"
            )

    def __repr__(self) -> str:
        return f"<Response [{self.status_code or self.error}]>"


class RequestMeta:
    """`response.request_meta`, by Locust's names."""

    _SETTABLE: ClassVar = {"name": "name", "request_type": "method", "context": "context"}

    def __init__(self, response: Response) -> None:
        self._response = response

    def __getitem__(self, key: str) -> Any:
        response = self._response
        told = {
            "request_type": response.method,
            "name": response.name,
            "context": response.context,
            "response": response,
            "response_length": len(response.content),
            "response_time": (response.ended - response.intended) * 1e3,
            "exception": response.judge()[2],
            "url": response.url,
        }
        return told[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self._SETTABLE:
            raise NotOffered(f"response.request_meta[{key!r}] = …", self._SETTABLE)
        setattr(self._response, self._SETTABLE[key], value)
