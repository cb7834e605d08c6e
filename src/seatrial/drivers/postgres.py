"""A PostgreSQL server.

    {driver: postgres, url: "postgresql://app:${DATABASE_PASSWORD}@127.0.0.1:5432/shop"}

How it is reached stands in `libpq.py`: the library is loaded by whoever connects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, beginning_with
from seatrial.model.problems import Path


class PostgresBinding(Binding):
    """A PostgreSQL server, by the address of one of its databases."""

    driver: ClassVar[str] = "postgres"

    url: Annotated[str, beginning_with("postgresql", "postgres")] = Field(
        examples=["postgresql://app:${DATABASE_PASSWORD}@127.0.0.1:5432/shop"]
    )
    """The database's address, as libpq takes it."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
