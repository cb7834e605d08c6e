"""Ask by HTTP: a GET, judged by its status."""

from __future__ import annotations

from urllib.parse import urljoin

import httpx

from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when the status is `status`, or below 400 where none is named."""
    url = str(role.resolved(urljoin(str(role.parameters.get("url", "")), probe.question)))
    role.require_allowed(httpx.URL(url).host)
    try:
        answer = httpx.get(url, timeout=probe.within.seconds, trust_env=False)
    except httpx.HTTPError as error:
        return f"{probe}: {error or type(error).__name__}"
    well = answer.status_code == probe.status if probe.status is not None else answer.status_code < 400
    return "" if well else f"{probe} gave HTTP {answer.status_code}"
