"""A Prometheus server, for probes.

    {driver: prometheus, url: http://127.0.0.1:9090}

Probes by promql ask it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path


class PrometheusBinding(Binding):
    """A Prometheus server, for probes by promql."""

    driver: ClassVar[str] = "prometheus"

    url: WebAddress = Field(examples=["http://127.0.0.1:9090"])
    """Its address."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
