"""A Prometheus server, for probes: {driver: prometheus, url: http://127.0.0.1:9090}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path


class PrometheusBinding(Binding):
    """How to reach it."""

    driver: ClassVar[str] = "prometheus"

    url: WebAddress

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
