"""One request, told twice: to the request log, in full, and to Locust's own statistics."""

from __future__ import annotations

from math import isnan
from typing import Any

from locust import User
from locust.env import Environment

from seatrial.load.failure import RequestFailed
from seatrial.load.locust_statistics import LocustStatistics
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.response import Response
from seatrial.load.under_way import Request
from seatrial.model.ownfailure import is_ours
from seatrial.model.secrets import knows_rows, shown


class Recorded(dict[str, Any]):
    """The context of an event whose request is in the log already: it is not put down again."""


class Reporter:
    """Locust's console, CSV files, web page and listeners get the same times as the log does.

    A request without an answer counts in Locust's statistics with the deadline: it took at least that long,
    and to leave it out would flatter the service. One that was never sent has no time there.
    """

    def __init__(
        self, recorder: Recorder, environment: Environment, zero_unix_s: float, deadline_s: float
    ) -> None:
        self._recorder = recorder
        self._event: Any = environment.events.request
        self.statistics = LocustStatistics(environment)
        self._zero_unix_s = zero_unix_s
        self._deadline_ms = deadline_s * 1e3
        self._screened = knows_rows()  # the recorder screens what it is given by itself

    def decided(self, user: User, request: Request) -> bool:
        """A request has been answered, or has failed, and the scenario has judged it.

        Whether the service is to blame for a failure.
        """
        ok, error, exception = request.judge()
        intended, sent, ended = request.intended, request.sent, request.ended
        name, status, served_by = request.name, request.status_code, request.served_by
        tenant = whose(request.context) if request.context else ""
        self._recorder.add(intended, sent, ended, ok, status, name, served_by, error, request.key, tenant)
        took_ms = (ended - intended) * 1e3
        if isnan(ended):
            took_ms = self._deadline_ms
        elif ok and self.statistics.count_alone():
            told = shown(name) if self._screened else name
            self.statistics.add(request.method, told, took_ms, request.size)
            return False
        url = request.url
        if self._screened:
            name, url, exception = shown(name), shown(url), _shown_error(exception)
        self._event.fire(
            request_type=request.method,
            name=name,
            response_time=None if isnan(sent) else took_ms,
            response_length=request.size,
            exception=exception,
            context=Recorded(user.context(), **request.context),
            response=request if isinstance(request, Response) else None,
            start_time=self._zero_unix_s + intended,
            url=url,
        )
        return not ok and not is_ours(error)

    def dropped(self, name: str, intended: float, reason: str) -> None:
        """An arrival was due and nothing could be sent for it."""
        self._recorder.add(intended, NEVER, NEVER, False, 0, name, "", reason)
        self._event.fire(
            request_type="",
            name=name,
            response_time=None,
            response_length=0,
            exception=RequestFailed(reason),
            context=Recorded(),
            response=None,
            start_time=self._zero_unix_s + intended,
            url="",
        )

    def raised(self, user: User | None, error: BaseException, user_error: Any) -> None:
        """The scenario has: Locust counts it and lists it with its text, by its `user_error`."""
        told = _shown_error(error) if self._screened else error
        user_error.fire(user_instance=user, exception=told, tb=error.__traceback__)


def whose(context: Any) -> str:
    """The tenant in whose name a request is sent, as its scenario says it: `context={"tenant": "acme"}`."""
    return str(context.get("tenant") or "") if isinstance(context, dict) else ""


def _shown_error(error: Any) -> Any:
    """An error, or another with what people may see of its text."""
    if error is None or (text := str(error)) == (told := shown(text)):
        return error
    return RequestFailed(told)
