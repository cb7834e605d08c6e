"""Values of a Prometheus expression over time: an instant each, at even steps.

HTTP API, `GET /api/v1/query_range`. An expression that matches nothing at an instant has no value there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from seatrial.drivers import httpclient
from seatrial.drivers.prometheus import PrometheusBinding
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

_WITHIN_S = 30.0


def values_over_time(
    role: Role, expression: str, start: datetime, end: datetime, step_s: float
) -> dict[datetime, float]:
    """Instant → value, of the one series that the expression gives; instants without a value are left out.

    Raises BadInput for a role that is no Prometheus or an expression that it refuses, Unavailable when it
    does not answer as Prometheus does, or gives several series.
    """
    if role.driver != PrometheusBinding.driver:
        raise BadInput(f"the role '{role.name}' is bound to driver '{role.driver}', not to prometheus")
    url = f"{role.bound_to(PrometheusBinding).url.rstrip('/')}/api/v1/query_range"
    asked = {"query": expression, "start": start.timestamp(), "end": end.timestamp(), "step": step_s}
    answer = httpclient.ask(role.allow_list, role.name, "GET", url, _WITHIN_S, params=asked)
    body = answer.object()
    if body.get("status") != "success":
        told = f"{role.name}: {str(body.get('error', f'HTTP {answer.status}'))[:300]}"
        raise BadInput(told) if body.get("errorType") == "bad_data" else Unavailable(told)
    try:
        return _values(body["data"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unavailable(f"{answer.to}: is this Prometheus? {error}: {answer.opening}") from error


def _values(found: Any) -> dict[datetime, float]:
    series = found["result"]
    if len(series) > 1:
        raise ValueError(f"the expression gives {len(series)} series, and one is wanted: sum(…)")
    samples = series[0]["values"] if series else []
    return {datetime.fromtimestamp(float(at), UTC): float(value) for at, value in samples}


def value_now(role: Role, expression: str, within_s: float) -> float:
    """The one value that an expression gives now (`GET /api/v1/query`).

    Raises BadInput for a role that is no Prometheus, Unavailable when there is no such value.
    """
    if role.driver != PrometheusBinding.driver:
        raise BadInput(f"the role '{role.name}' is bound to driver '{role.driver}', not to prometheus")
    url = f"{role.bound_to(PrometheusBinding).url.rstrip('/')}/api/v1/query"
    answer = httpclient.ask(role.allow_list, role.name, "GET", url, within_s, params={"query": expression})
    body = answer.object()
    if body.get("status") != "success":
        raise Unavailable(f"{role.name}: {str(body.get('error', f'HTTP {answer.status}'))[:300]}")
    try:
        found = body["data"]["result"]
        if body["data"]["resultType"] == "scalar":
            return float(found[1])
        ((_, value),) = [each["value"] for each in found]
        return float(value)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unavailable(f"{role.name}: {expression} gives no single value: {answer.opening}") from error
