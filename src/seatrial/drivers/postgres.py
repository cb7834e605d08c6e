"""A PostgreSQL server: {driver: postgres, url: "postgresql://app:${DATABASE_PASSWORD}@127.0.0.1:5432/shop"}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from seatrial.drivers.binding import Binding, beginning_with
from seatrial.model.problems import Path


class PostgresBinding(Binding):
    """How to reach a database."""

    driver: ClassVar[str] = "postgres"

    url: Annotated[str, beginning_with("postgresql", "postgres")]

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
