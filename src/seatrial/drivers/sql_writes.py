"""Look writes up in a database. Each row of the query is one stored copy of a write.

    writes:
      driver: sql
      url: postgresql://shop:${SHOP_PASSWORD}@127.0.0.1:5432/shop
      query: SELECT key, sku || ' ' || quantity FROM orders WHERE key IN :ids

The first column is the id, the second, if there is one, the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.drivers.database import engine_of, reason_of
from seatrial.drivers.stored import Copy, identity_of
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

if TYPE_CHECKING:
    from seatrial.drivers.sql import SqlBinding

_IDS_A_QUERY = 2_000
_PATIENCE_S = 10.0


def ask(role: Role, database: SqlBinding, keys: Sequence[str]) -> Iterator[Copy]:
    """The stored copies of the writes with these keys, as they are read. Raises BadInput or Unavailable."""
    engine = engine_of(role, database.url, _PATIENCE_S)
    query = sa.text(database.query).bindparams(sa.bindparam("ids", expanding=True))
    ids = (
        identity for identity, _ in groupby(map(identity_of, keys))
    )  # each id once, whatever it is said of
    try:
        with engine.connect() as connection:
            while some := list(islice(ids, _IDS_A_QUERY)):
                for row in connection.execute(query, {"ids": some}):
                    yield _text(role, row[0]), _text(role, row[1]) if len(row) > 1 else None
    except sa.exc.SQLAlchemyError as error:
        raise Unavailable(f"{role.name}: the database did not answer: {reason_of(error)}") from error
    finally:
        engine.dispose()


def _text(role: Role, value: object) -> str:
    """A column as text. Raises BadInput for bytes, of which nobody knows how they are to be read."""
    if isinstance(value, bytes | bytearray | memoryview):
        raise BadInput(f"roles.{role.name}.query: gives bytes where text is needed; convert it in the query")
    return str(value)
