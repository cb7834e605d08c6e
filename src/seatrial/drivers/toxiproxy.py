"""A link that runs through Toxiproxy.

    {driver: toxiproxy, url: http://127.0.0.1:8474, proxy: redis}

The fault toxiproxy degrades it, by the HTTP API that `url` leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path


class ToxiproxyBinding(Binding):
    """A link that runs through Toxiproxy."""

    driver: ClassVar[str] = "toxiproxy"

    url: WebAddress = Field(examples=["http://127.0.0.1:8474"])
    """The address of Toxiproxy's API."""
    proxy: str = Field(examples=["redis"])
    """The name of the link's proxy."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
