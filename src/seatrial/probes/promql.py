"""Ask a Prometheus server: every sample of an instant query must be good, and there must be one.

An expression that matches nothing is not well: no data is not 100 % (HTTP API, `GET /api/v1/query`).
"""

from __future__ import annotations

import httpx

from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when all samples are good."""
    url = str(role.resolved(role.parameters.get("url", ""))).rstrip("/")
    role.require_allowed(httpx.URL(url).host)
    try:
        answer = httpx.get(
            f"{url}/api/v1/query",
            params={"query": probe.question},
            timeout=probe.within.seconds,
            trust_env=False,
        )
        body = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return f"{probe}: {error or type(error).__name__}"
    if body.get("status") != "success":
        return f"{probe}: {body.get('error', f'HTTP {answer.status_code}')}"
    found = body["data"]
    samples = (
        [found["result"]]
        if found["resultType"] in ("scalar", "string")
        else [each["value"] for each in found["result"]]
    )
    if not samples:
        return f"{probe} matches nothing"
    return next(filter(None, (probe.judge(float(value)) for _, value in samples)), "")
