"""A Prometheus server, for probes and for alerts.

    {driver: prometheus, url: http://127.0.0.1:9090}

Probes by promql ask it, and the checks alert-fired and alert-silent judge which of its alerts fired when.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.alerting import Alerting
from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path
from seatrial.model.role import Role


class PrometheusBinding(Binding):
    """A Prometheus server, for probes by promql, and for the checks alert-fired and alert-silent."""

    driver: ClassVar[str] = "prometheus"

    url: WebAddress = Field(examples=["http://127.0.0.1:9090"])
    """Its address."""
    headers: dict[str, str] = Field(
        default_factory=dict, examples=[{"Authorization": "Bearer ${MONITORING_TOKEN}"}]
    )
    """Headers of every request for alerts."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def alerting(self, role: Role) -> Alerting:
        """The alerts that its rules raise."""
        from seatrial.drivers.prometheus_alerts import PrometheusAlerts  # noqa: PLC0415  # when it is asked

        return PrometheusAlerts(role, self)
