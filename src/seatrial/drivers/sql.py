"""A database that is asked which writes it holds, and by probes.

    writes:
      driver: sql
      url: postgresql://shop:${SHOP_PASSWORD}@127.0.0.1:5432/shop
      query: SELECT key, sku || ' ' || quantity FROM orders WHERE key IN :ids

The check acknowledged-writes asks it by `query`, in which `:ids` stands for the ids of the writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from seatrial.drivers.binding import Binding
from seatrial.drivers.stored import Copy
from seatrial.model.problems import BadInput, Path
from seatrial.model.role import Role


def _with_ids(query: str) -> str:
    if ":ids" not in query:
        raise ValueError("needs `IN :ids` where the ids of the writes go")
    return query


class SqlBinding(Binding):
    """A database that is asked which writes it holds, and by probes."""

    driver: ClassVar[str] = "sql"

    url: str = Field(examples=["postgresql://shop:${SHOP_PASSWORD}@127.0.0.1:5432/shop"])
    """The database's address, as SQLAlchemy takes it."""
    query: Annotated[str, AfterValidator(_with_ids)] = Field(
        default="", examples=["SELECT key, sku || ' ' || quantity FROM orders WHERE key IN :ids"]
    )
    """Which writes it holds: each row is one stored copy, its id and, if there is one, its content."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def stored_writes(self, role: Role) -> SqlWrites:
        """What its query finds. Raises BadInput when there is none."""
        if not self.query:
            raise BadInput(role.problem(("query",), "is missing, and writes are looked up with it"))
        return SqlWrites(role, self)


@dataclass(frozen=True, slots=True)
class SqlWrites:
    """See `drivers.stored`."""

    role: Role
    binding: SqlBinding

    def copies(self, keys: Sequence[str]) -> Iterator[Copy]:
        from seatrial.drivers import sql_writes  # noqa: PLC0415  # when it is asked: its library is large

        return sql_writes.ask(self.role, self.binding, keys)
