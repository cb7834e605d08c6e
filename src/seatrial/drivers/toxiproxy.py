"""A link that runs through Toxiproxy: {driver: toxiproxy, url: http://127.0.0.1:8474, proxy: redis}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path


class ToxiproxyBinding(Binding):
    """Which proxy, of which Toxiproxy."""

    driver: ClassVar[str] = "toxiproxy"

    url: WebAddress
    proxy: str

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
