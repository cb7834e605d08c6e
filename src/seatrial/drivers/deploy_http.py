"""A deploy tool of your own, by its HTTP API: one address that says what is live, one call that changes it.

    driver: deploy-http
    live: {url: "http://deploy.internal/apps/shop", field: live.release}   # no field: the whole text is it
    switch: {method: POST, url: "http://deploy.internal/apps/shop/deploys", json: {release: "{release}"}}
    headers: {Authorization: "Bearer ${DEPLOY_TOKEN}"}
    releases: [blue, green]
    within: 5m                              # from the call until `live` says so

A call that is answered 202 has deployed nothing yet: `live` is asked until it says the release.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.drivers.httpclient import Answer, ask
from seatrial.drivers.releases import PLACEHOLDER, filled_in
from seatrial.model.problems import BadInput, Path, TooLate, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple
from seatrial.waiting import wait_while

_ANSWER_WITHIN_S = 10.0


class LiveRelease(BaseModel):
    """Where it is read which release is live."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: WebAddress = Field(examples=["http://deploy.internal/apps/shop"])
    """The address that says which release is live."""
    field: str = Field(default="", examples=["live.release"])
    """Where in the JSON object that answers it stands, keys joined by dots; empty: the whole text is it."""


class SwitchCall(BaseModel):
    """The call that makes a release live; `{release}` stands for its name."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    url: str = Field(examples=["http://deploy.internal/apps/shop/deploys"])
    """The address of the call."""
    method: str = "POST"
    """Its method."""
    body: Any = Field(None, alias="json", examples=[{"release": "{release}"}])
    """What is sent, as JSON."""


class DeployHttpBinding(Binding):
    """Its two addresses, and the releases that there are."""

    driver: ClassVar[str] = "deploy-http"

    live: LiveRelease = Field(examples=[{"url": "http://deploy.internal/apps/shop", "field": "live.release"}])
    """How it is read which release is live."""
    switch: SwitchCall = Field(examples=[{"url": "http://deploy.internal/apps/shop/deploys/{release}"}])
    """The call that makes `{release}` live."""
    headers: Mapping[str, str] = Field(default_factory=dict, examples=[{"Authorization": "Bearer ${TOKEN}"}])
    """Sent with every call."""
    releases: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field((), examples=[["blue", "green"]])
    """The releases that there are."""
    within: Duration = Duration(60.0)
    """How long after the call `live` may take to say so."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("live", "url"), self.live.url
        yield ("switch", "url"), self.switch.url

    def as_releases(self, role: Role) -> HttpReleases:
        """Its releases. Raises BadInput for what is missing."""
        if len(self.releases) < 2:
            raise BadInput(role.problem(("releases",), "name the releases: [blue, green]"))
        if PLACEHOLDER not in f"{self.switch.url} {self.switch.body}":
            raise BadInput(role.problem(("switch",), f"nowhere says which release: write {PLACEHOLDER}"))
        if PLACEHOLDER in urlsplit(self.switch.url).netloc:
            raise BadInput(role.problem(("switch", "url"), "a release is no part of a host's name"))
        return HttpReleases(role, self)


@dataclass(frozen=True, slots=True)
class HttpReleases:
    """See `drivers.releases`."""

    role: Role
    binding: DeployHttpBinding

    @property
    def names(self) -> Sequence[str]:
        """As the target file lists them."""
        return self.binding.releases

    def live(self) -> str:
        answer = self._ask("GET", self.binding.live.url)
        value: Any = answer.json() if self.binding.live.field else answer.text.strip()
        for key in filter(None, self.binding.live.field.split(".")):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            wanted = f"no text under {self.binding.live.field}" if self.binding.live.field else "no name"
            raise Unavailable(f"{answer.to}: {wanted}: {answer.opening}")
        return value

    def make_live(self, release: str) -> None:
        call = self.binding.switch
        body = {} if call.body is None else {"json": filled_in(call.body, release)}
        self._ask(call.method, filled_in(call.url, release), **body)
        if other := wait_while(lambda: self._other_than(release), self.binding.within.seconds):
            told = f"{other} is still live {self.binding.within} after the call for {release}"
            raise TooLate(f"{self.role.name}: {told}")

    def _other_than(self, release: str) -> str:
        """The live release when it is not that one."""
        live = self.live()
        return "" if live == release else live

    def _ask(self, method: str, url: str, **options: Any) -> Answer:
        role, headers = self.role, dict(self.binding.headers)
        answer = ask(role.allow_list, role.name, method, url, _ANSWER_WITHIN_S, headers=headers, **options)
        if not answer.is_success:
            raise Unavailable(f"{answer.to}: {answer.status} {answer.opening}")
        return answer

    def by_hand(self, release: str) -> str:
        written = self.role.as_written(DeployHttpBinding)  # with the references in place of secrets
        call = filled_in(written.switch.model_dump(by_alias=True), release)
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in written.headers.items()]
        body = [] if call["json"] is None else [f"--json {shlex.quote(json.dumps(call['json']))}"]
        return " ".join(["curl", "-X", call["method"], *headers, *body, shlex.quote(call["url"])])
