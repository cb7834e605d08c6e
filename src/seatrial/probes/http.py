"""Ask by HTTP: a GET, judged by its status.

    {http: /healthz}

Without `on` the target itself is asked. An address of its own must be one that may be touched.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urljoin

from seatrial.drivers import httpclient, reach
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Problem
from seatrial.model.role import Role
from seatrial.model.target import hosts_in
from seatrial.probes.protocol import ProbeKind


class HttpProbe(ProbeKind):
    """A GET, judged by its status."""

    name: ClassVar[str] = "http"

    def fit(self, probe: ProbeSpec, role: Role) -> None:
        """An address of its own must be one that may be touched."""
        super().fit(probe, role)
        try:
            for host in hosts_in(probe.question):
                reach.require_allowed(role.allow_list, host, role.name)
        except BadInput as error:
            raise BadInput([Problem(each.message, path=("http",)) for each in error.problems]) from error

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when the status is `status`, or below 400 where none is named."""
        url = str(role.resolved(urljoin(str(role.parameters.get("url", "")), probe.question)))
        answer = httpclient.ask(role.allow_list, role.name, "GET", url, probe.within.seconds)
        well = answer.status == probe.status if probe.status is not None else not answer.is_error
        return "" if well else f"{probe} gave HTTP {answer.status}"
