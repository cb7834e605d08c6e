"""A service by HTTP.

{driver: http, url: http://127.0.0.1:9000, headers: {Authorization: "Bearer ${ADMIN_TOKEN}"}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path


class HttpBinding(Binding):
    """How to reach it; and, for look-ups, which words of the answer are the content (see `lookups.http`)."""

    driver: ClassVar[str] = "http"

    url: WebAddress
    headers: dict[str, str] = Field(default_factory=dict)
    content: str | None = None
    timeout_s: float = 5.0

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
