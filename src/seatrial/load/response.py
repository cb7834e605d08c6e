"""What a scenario gets back from a request, and what the request log gets out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from email.message import Message
from math import isnan
from types import TracebackType
from typing import Any, Self

from locust.exception import LocustError, ResponseError

from seatrial.load.failure import RequestFailed
from seatrial.load.recorder import NEVER
from seatrial.load.wire import HeaderList, Headers
from seatrial.model.ownfailure import SCENARIO, in_other_words
from seatrial.model.secrets import shown

_LONGEST_ERROR = 200  # characters; scenarios put whole answers into error texts


class _ScenarioRaised(RequestFailed):
    """The scenario raised while it looked at an answer that had nothing wrong with it."""


class Response:
    """An answer, or the lack of one: then `status_code` is 0, `error` says why and the content is empty.

    With `catch_response=True` it is a context manager, and `success()` and `failure()` decide about it.
    """

    __slots__ = (
        "_caught", "_headers", "_settle", "_verdict", "content", "context", "ended", "error", "handed_over",
        "intended", "key", "method", "name", "raw_headers", "sent", "status_code", "url",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        name: str,
        intended: float,
        key: str | None,
        settle: Callable[[Response], None] | None,
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
        self.context: dict[str, Any] = {}
        self._headers: Headers | None = None
        self._settle = settle  # with catch_response only: called when the scenario has decided
        self._caught = False
        self._verdict: bool | Exception | None = None

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
    def text(self) -> str:
        """The content as text, by the charset that the answer names, else UTF-8."""
        message = Message()
        message["Content-Type"] = self.headers.get("content-type", "")
        charset = message.get_content_charset("utf-8")
        try:
            return self.content.decode(charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self, **options: Any) -> Any:
        """The content as JSON. Raises ValueError when it is not."""
        return json.loads(self.content, **options)

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

    def raise_for_status(self) -> None:
        """Raise ResponseError unless `ok`."""
        if not self.ok:
            raise ResponseError(self.error or f"HTTP {self.status_code}")

    def success(self) -> None:
        """Accept the answer whatever its status. An answer that never came cannot be accepted."""
        self._needs_a_with_block()
        self._verdict = True

    def failure(self, reason: str | Exception) -> None:
        """Reject the answer whatever its status."""
        self._needs_a_with_block()
        self._verdict = reason if isinstance(reason, Exception) else RequestFailed(str(reason))

    def judge(self) -> tuple[bool, str, Exception | None]:
        """Whether the scenario accepts the answer; if not, why, for the log and for Locust's statistics."""
        verdict = self._verdict
        if self.error:
            return False, self.error, RequestFailed(self.error)
        if isinstance(verdict, Exception):
            reason = str(verdict) or type(verdict).__name__
            if not isinstance(verdict, _ScenarioRaised):
                reason = in_other_words(reason)
            reason = shown(" ".join(reason.split()))  # first whole: half a secret is not recognised
            return False, reason[:_LONGEST_ERROR], verdict
        if verdict is True or self.status_code < 400:
            return True, "", None
        reason = f"HTTP {self.status_code}"
        return False, reason, RequestFailed(reason)

    def __enter__(self) -> Self:
        if self._settle is None:
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
                self._verdict = _ScenarioRaised(f"{SCENARIO}{type(error).__name__}: {error}")
        assert self._settle is not None
        self._settle(self)
        return expected

    def _needs_a_with_block(self) -> None:
        if not self._caught:
            raise LocustError(
                "success() and failure() belong into a with-block around a request with catch_response=True"
            )

    def __repr__(self) -> str:
        return f"<Response [{self.status_code or self.error}]>"
