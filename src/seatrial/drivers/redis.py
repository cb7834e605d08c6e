"""A Redis or Valkey server: {driver: redis, url: "redis://:${CACHE_PASSWORD}@127.0.0.1:6379/0"}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from seatrial.drivers.binding import Binding, beginning_with
from seatrial.model.problems import Path


class RedisBinding(Binding):
    """How to reach a server."""

    driver: ClassVar[str] = "redis"

    url: Annotated[str, beginning_with("redis", "rediss", "unix")]

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
