"""Ask by HTTP: a GET, judged by its status."""

from __future__ import annotations

from urllib.parse import urljoin

from seatrial.drivers import httpclient
from seatrial.model.probe import ProbeSpec
from seatrial.model.role import Role


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when the status is `status`, or below 400 where none is named."""
    url = str(role.resolved(urljoin(str(role.parameters.get("url", "")), probe.question)))
    answer = httpclient.ask(role.allow_list, role.name, "GET", url, probe.within.seconds)
    well = answer.status == probe.status if probe.status is not None else not answer.is_error
    return "" if well else f"{probe} gave HTTP {answer.status}"
