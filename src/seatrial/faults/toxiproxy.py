"""Degrade a link that runs through Toxiproxy, by its HTTP API: latency, bandwidth, resets, or down.

    {at: 5s, fault: toxiproxy, on: link, for: 10s, with: {toxic: latency, attributes: {latency: 300}}}

The role: {driver: toxiproxy, url: http://127.0.0.1:8474, proxy: redis}. What is added carries a name of ours,
and the undo removes only that. API: https://github.com/Shopify/toxiproxy#http-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, Field

from seatrial.drivers.httpclient import ask
from seatrial.drivers.toxiproxy import ToxiproxyBinding
from seatrial.model.problems import Unavailable
from seatrial.model.quantities import Ratio
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo

_ANSWER_WITHIN_S = 2.0
_LAG_S = 0.5
_NOT_FOUND = 404


def _toxicity(value: object) -> object:
    return Ratio.parse(value) if isinstance(value, str) else value


class Poisoned(BaseModel):
    """Whether the proxy was enabled."""

    enabled: bool


class Toxiproxy(Declared):
    """Adds a toxic to a link, or takes it down."""

    name: ClassVar[str] = "toxiproxy"
    drivers: ClassVar[frozenset[str]] = frozenset({"toxiproxy"})

    toxic: Literal[
        "latency", "down", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data"
    ] = Field(examples=["latency"])
    """One of Toxiproxy's types, or `down`."""
    attributes: dict[str, int] = Field(default_factory=dict, examples=[{"latency": 300}])
    """The toxic's own settings, as Toxiproxy names them."""
    stream: Literal["upstream", "downstream"] = "downstream"
    """Which way: to the server, or to the client."""
    toxicity: Annotated[Ratio, BeforeValidator(_toxicity)] = Ratio(1.0)
    """The share of connections that get it."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:  # noqa: ARG003  # the same for every link
        return [{"toxic": "down"}, {"toxic": "latency", "attributes": {"latency": 300}}]

    def prepare(self, role: Role) -> Undo:
        proxy = _api(role, "GET", "")
        name = role.as_written(ToxiproxyBinding).proxy
        undo = self.noting(
            role,
            Poisoned(enabled=bool(proxy.get("enabled"))),
            touches=f"{self.toxic} on {proxy.get('listen')} → {proxy.get('upstream')}",
            by_hand=f"toxiproxy-cli toggle {name}",
        )
        if self.toxic == "down":
            return undo
        return replace(undo, by_hand=f"toxiproxy-cli toxic remove -n {_name(undo)} {name}")

    @property
    def lag_s(self) -> float:
        return _LAG_S

    def inject(self, undo: Undo) -> None:
        if self.toxic == "down":
            _api(undo.role, "POST", "", {"enabled": False})
            return
        toxic = {
            "name": _name(undo),
            "type": self.toxic,
            "stream": self.stream,
            "toxicity": self.toxicity.fraction,
            "attributes": self.attributes,
        }
        _api(undo.role, "POST", "/toxics", toxic)

    def undo(self, undo: Undo) -> None:
        if self.toxic == "down":
            if undo.noted(Poisoned).enabled:
                _api(undo.role, "POST", "", {"enabled": True})
            return
        _api(undo.role, "DELETE", f"/toxics/{_name(undo)}", may_be_absent=True)

    def gone(self, undo: Undo) -> bool:
        proxy = _api(undo.role, "GET", "")
        if self.toxic == "down":
            return bool(proxy.get("enabled")) == undo.noted(Poisoned).enabled
        return _name(undo) not in _toxics(undo.role, proxy)

    def healthy(self, role: Role) -> bool:
        proxy = _api(role, "GET", "")
        ours = [name for name in _toxics(role, proxy) if name.startswith("seatrial-")]
        return bool(proxy.get("enabled")) and not ours


def _name(undo: Undo) -> str:
    return f"seatrial-{undo.token}"


def _toxics(role: Role, proxy: dict[str, Any]) -> list[str]:
    """The names of the proxy's toxics."""
    try:
        return [str(toxic["name"]) for toxic in proxy.get("toxics") or ()]
    except (KeyError, TypeError) as error:
        raise Unavailable(f"{role.name}: is this Toxiproxy? Its toxics are {proxy['toxics']!r}") from error


def _api(
    role: Role, method: str, path: str, body: dict[str, Any] | None = None, *, may_be_absent: bool = False
) -> dict[str, Any]:
    """One call about the role's proxy. Raises Unavailable with what Toxiproxy says is wrong."""
    binding = role.bound_to(ToxiproxyBinding)
    url = f"{binding.url.rstrip('/')}/proxies/{quote(binding.proxy, safe='')}{path}"
    answer = ask(role.allow_list, role.name, method, url, _ANSWER_WITHIN_S, json=body)
    if answer.status == _NOT_FOUND and may_be_absent:
        return {}
    if not answer.is_success:
        raise Unavailable(f"{answer.to}: {answer.status} {answer.opening}")
    return answer.object() if answer.content else {}
