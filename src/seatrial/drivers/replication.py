"""The servers of a PostgreSQL cluster, each by its own address: who leads, and how far the others are behind.

    replication:
      driver: replication
      servers: {db-1: "postgresql://monitor:${PASSWORD}@10.0.1.2/shop", db-2: "postgresql://…"}

Which of them leads is asked anew at each look, so a failover is followed. The user needs no more than the
role `pg_monitor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, beginning_with
from seatrial.model.problems import Path

_Server = Annotated[str, beginning_with("postgresql", "postgres")]


class ReplicationBinding(Binding):
    """The servers of a PostgreSQL cluster, for the objective replication_lag."""

    driver: ClassVar[str] = "replication"

    servers: Annotated[dict[str, _Server], Field(min_length=2)] = Field(
        examples=[{"db-1": "postgresql://monitor:${PASSWORD}@10.0.1.2/shop"}]
    )
    """The address of each server, by a name of your choice; not one that leads to whoever is primary."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        for name, url in self.servers.items():
            yield ("servers", name), url
