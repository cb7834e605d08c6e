"""Break a system through its own admin endpoint, and mend it through another call.

    {at: 5s, fault: http.call, on: payments, for: 10s, with: {
        inject: {path: /admin/faults/timeout, json: {percent: 50}},
        undo: {method: DELETE, path: /admin/faults/timeout}}}

The role: {driver: http, url: http://127.0.0.1:9000, headers: {Authorization: "Bearer ${ADMIN_TOKEN}"}}.
The undo must be harmless when there is nothing to undo: it is also sent when nobody knows whether the first
call arrived, and then twice, because a call may be served after the death of the one who sent it.
"""

from __future__ import annotations

import json
import shlex
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, Field

from seatrial.drivers import reach
from seatrial.drivers.http import HttpBinding
from seatrial.drivers.httpclient import ask
from seatrial.model.problems import BadInput, Problem, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.model.strict import Strict, counted_in
from seatrial.undo.protocol import Declared, Undo

_LAG_S = 1.0


class Call(Strict):
    """One request. Any answer below 400 is a success, unless `expect` names the only good status."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """The request's method."""
    path: str = Field(default="/", examples=["/admin/faults/timeout"])
    """The path on the role's address."""
    headers: dict[str, str] = Field(default_factory=dict, examples=[{"X-Reason": "drill"}])
    """Headers, beside those of the role."""
    json_: Any = Field(default=None, alias="json", examples=[{"percent": 50}])
    """The body, sent as JSON."""
    text: str | None = Field(default=None, examples=["timeout"])
    """The body, sent as text."""
    expect: Annotated[int | None, counted_in("HTTP status")] = Field(default=None, examples=[204])
    """The one status that is a success; left out, every one below 400."""


class Called(BaseModel):
    """Needs no note: the calls stand in the parameters."""


class HttpCall(Declared):
    """Sends one request, and another one that undoes it."""

    name: ClassVar[str] = "http.call"
    drivers: ClassVar[frozenset[str]] = frozenset({"http"})

    inject_: Call = Field(
        alias="inject", examples=[{"path": "/admin/faults/timeout", "json": {"percent": 50}}]
    )
    """The request that breaks it."""
    undo_: Call = Field(alias="undo", examples=[{"method": "DELETE", "path": "/admin/faults/timeout"}])
    """The request that mends it."""
    probe: Call | None = Field(default=None, examples=[{"method": "GET", "path": "/healthz"}])
    """A request that succeeds when all is well again."""
    within: Duration = Duration(5.0)
    """Each answer must come within that time."""

    @property
    def lag_s(self) -> float:
        return min(self.within.seconds, _LAG_S)

    def fit(self, role: Role) -> None:
        role.require_variables(self)
        url = role.bound_to(HttpBinding).url
        calls = {"inject": self.inject_, "undo": self.undo_, "probe": self.probe}
        for name, call in calls.items():
            if call is None:
                continue
            place = ("with", name, "path")
            try:
                reach.require_allowed(
                    role.allow_list,
                    urlsplit(urljoin(url, role.resolved(call.path))).hostname or "",
                    role.name,
                )
            except BadInput as error:
                raise BadInput([Problem(each.message, path=place) for each in error.problems]) from error
            except ValueError as error:
                raise BadInput(Problem(f"'{call.path}' is no path: {error}", path=place)) from error

    def prepare(self, role: Role) -> Undo:
        written = role.as_written(HttpBinding)
        host = urlsplit(role.bound_to(HttpBinding).url).hostname
        reach.require_allowed(role.allow_list, host or "", role.name)
        first = self.inject_
        return self.noting(
            role,
            Called(),
            touches=f"{first.method} {urljoin(written.url, first.path)}",
            by_hand=_curl(written, self.undo_),
        )

    def inject(self, undo: Undo) -> None:
        self._send(undo.role, self.inject_)

    def undo(self, undo: Undo) -> None:
        self._send(undo.role, self.undo_)

    def gone(self, undo: Undo) -> bool | None:
        return self.healthy(undo.role)

    def healthy(self, role: Role) -> bool | None:
        if self.probe is None:
            return None
        self._send(role, self.probe)
        return True

    def _send(self, role: Role, call: Call) -> None:
        binding = role.bound_to(HttpBinding)
        url = urljoin(binding.url, role.resolved(call.path))
        answer = ask(
            role.allow_list,
            role.name,
            call.method,
            url,
            self.within.seconds,
            headers={**binding.headers, **role.resolved(call.headers)},
            content=role.resolved(call.text),
            json=role.resolved(call.json_),
        )
        good = answer.status == call.expect if call.expect is not None else not answer.is_error
        if not good:
            raise Unavailable(f"{role.name}: {call.method} {call.path} answered {answer.status}")


def _curl(binding: HttpBinding, call: Call) -> str:
    """The same call for a person; references to the environment stay references, for the shell to fill in."""
    words = ["curl", "--fail", "-X", call.method]
    for name, value in {**binding.headers, **call.headers}.items():
        words += ["-H", f'"{name}: {value}"']
    body = call.text if call.json_ is None else json.dumps(call.json_)
    if body is not None:
        words += ["-d", shlex.quote(body)]
    return " ".join([*words, f'"{urljoin(binding.url, call.path)}"'])
