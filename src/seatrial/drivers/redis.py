"""A Redis or Valkey server.

    {driver: redis, url: "redis://:${CACHE_PASSWORD}@127.0.0.1:6379/0"}

How it is reached stands in `redis_client.py`: its library is loaded by whoever connects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, beginning_with
from seatrial.model.problems import Path


class RedisBinding(Binding):
    """A Redis or Valkey server, by the address of one of its databases."""

    driver: ClassVar[str] = "redis"

    url: Annotated[str, beginning_with("redis", "rediss", "unix")] = Field(
        examples=["redis://:${CACHE_PASSWORD}@127.0.0.1:6379/0"]
    )
    """Its address, and the number of the database."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
