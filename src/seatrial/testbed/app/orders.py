"""Orders and products of one tenant, as SQL.

An order is placed exactly once for a tenant's key: the unique constraint decides, whoever comes first. Every
statement commits by itself and is one round trip; COMMIT returns when the synchronous standby has it as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import errors
from psycopg.rows import dict_row

from seatrial.testbed.app.connections import Connections, DatabaseAwayError

Row = dict[str, Any]  # columns of a query, as JSON will show them
_PLACE = (
    "INSERT INTO orders (key, sku, quantity) VALUES (%s, %s, %s)"
    " ON CONFLICT (tenant, key) DO NOTHING RETURNING id, key, sku, quantity, tenant"
)
_BY_KEY = "SELECT id, key, sku, quantity, tenant FROM orders WHERE key = ANY(%s)"
_AFTER = "SELECT id, key, sku, quantity, tenant FROM orders WHERE id > %s ORDER BY id LIMIT %s"
_CATALOGUE = "SELECT sku, title, price_cents FROM catalogue ORDER BY sku"
_PRODUCT = "SELECT sku, title, price_cents FROM catalogue WHERE sku = %s"
_MOST_WAITING = 512  # unfinished writes of a tenant that are left to themselves before new ones are refused


class UnknownProductError(Exception):
    """The tenant does not sell this."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that is in the database for good."""

    order: Row
    created: bool  # False: the key had been used before


class Orders:
    """What one tenant may do with the database."""

    def __init__(self, connections: Connections, patience_s: float = 2.0) -> None:
        """`patience_s`: how long an answer waits for the database."""
        self.connections = connections
        self._patience_s = patience_s
        self._unfinished: set[asyncio.Task[Placed]] = set()

    async def place(self, key: str, sku: str, quantity: int) -> Placed:
        """Place an order, or find the one that has this key. Raises UnknownProductError, DatabaseAwayError.

        A write that takes too long is given up by its answer but not cancelled. PostgreSQL answers a
        cancelled wait for the standby by committing locally with a warning: a repeat of the key would then be
        told that the order is safe while one server alone has it.
        """
        if len(self._unfinished) >= _MOST_WAITING:
            raise DatabaseAwayError("too many writes wait for the standby")
        writing = asyncio.ensure_future(self._place(key, sku, quantity))
        self._unfinished.add(writing)
        writing.add_done_callback(self._finished)
        done, _ = await asyncio.wait((writing,), timeout=self._patience_s)
        if not done:
            raise DatabaseAwayError("the standby has not confirmed in time")
        return writing.result()

    def _finished(self, writing: asyncio.Task[Placed]) -> None:
        self._unfinished.discard(writing)
        if not writing.cancelled():
            writing.exception()  # its answer was given before it ended: retrieved, so that nothing warns

    async def _place(self, key: str, sku: str, quantity: int) -> Placed:
        async with self.connections.lease() as connection, connection.cursor(row_factory=dict_row) as cursor:
            try:
                await cursor.execute(_PLACE, (key, sku, quantity))
            except errors.ForeignKeyViolation as error:
                raise UnknownProductError(sku) from error
            if order := await cursor.fetchone():
                return Placed(order, created=True)
            await cursor.execute(_BY_KEY, ([key],))
            existing = await cursor.fetchone()
            assert existing is not None  # nobody may delete
            return Placed(existing, created=False)

    async def find(self, key: str) -> Row | None:
        """The order with this key."""
        found = await self.lookup([key])
        return found[0] if found else None

    async def lookup(self, keys: Sequence[str]) -> list[Row]:
        """The orders that have one of these keys."""
        return await self._rows(_BY_KEY, (list(keys),))

    async def after(self, last_id: int, most: int) -> list[Row]:
        """The next `most` orders behind an id, in the order of their ids."""
        return await self._rows(_AFTER, (last_id, most))

    async def catalogue(self) -> list[Row]:
        """All products."""
        return await self._rows(_CATALOGUE)

    async def product(self, sku: str) -> Row | None:
        """One product."""
        found = await self._rows(_PRODUCT, (sku,))
        return found[0] if found else None

    async def confirm_writable(self) -> None:
        """Commit a record of the write-ahead log that changes no table. Raises DatabaseAwayError.

        It waits for the synchronous standby like every order.
        """
        async with self.connections.lease() as connection:
            await connection.execute("SELECT pg_logical_emit_message(true, 'readyz', '')")

    async def _rows(self, query: LiteralString, values: tuple[object, ...] = ()) -> list[Row]:
        async with self.connections.lease() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, values)
            return await cursor.fetchall()
