"""Ask a Prometheus server: every sample of an instant query must be good, and there must be one.

    {promql: "up", on: metrics, min: 1}

An expression that matches nothing is not well: no data is not 100 % (HTTP API, `GET /api/v1/query`).
"""

from __future__ import annotations

from typing import Any, ClassVar

from seatrial.drivers import httpclient
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.probes.protocol import ProbeKind


class PromqlProbe(ProbeKind):
    """An instant query of a Prometheus server."""

    name: ClassVar[str] = "promql"

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when all samples are good."""
        url = str(role.resolved(role.parameters.get("url", ""))).rstrip("/")
        question = {"query": probe.question}
        answer = httpclient.ask(
            role.allow_list, role.name, "GET", f"{url}/api/v1/query", probe.within.seconds, params=question
        )
        body = answer.object()
        if body.get("status") != "success":
            return f"{probe}: {str(body.get('error', f'HTTP {answer.status}'))[:300]}"
        try:
            values = _values(body["data"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unavailable(f"{answer.to}: is this Prometheus? {error!r}: {answer.opening}") from error
        if not values:
            return f"{probe} matches nothing"
        return next(filter(None, map(probe.judge, values)), "")


def _values(found: Any) -> list[float]:
    """The values of a result: `[time, value]` of a scalar, or that of each series of a vector."""
    match found["resultType"], found["result"]:
        case "scalar" | "string", [_, value]:
            return [float(value)]
        case "vector", list(series):
            return [float(each["value"][1]) for each in series]
        case kind, _:
            raise ValueError(f"a result of type {kind} has no single instant")
