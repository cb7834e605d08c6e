"""Connections to the primary, one small pool a tenant, quick to notice that they are dead.

A fail-over kills every pooled connection at once, and a pool shows here what it is worth. `psycopg_pool`
hands out dead connections until each has failed a request, and then reconnects in the background after 1, 2,
4 … seconds: on a database that is back after 2.5 s it adds seconds of its own to the outage. Here a dead
connection is noticed by one poll of its socket when it is taken from the pool, and connecting is part of the
request that needs it: while the database is away requests fail at once, and the first one after its return
succeeds.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.pq import ConnStatus, TransactionStatus

Connect = Callable[[], Awaitable[AsyncConnection]]


class DatabaseAwayError(Exception):
    """The database cannot do this now. Whether a write took effect is not known."""


class Connections:
    """At most `most` connections; the one that was used last is used next."""

    def __init__(self, connect: Connect, most: int, patience_s: float) -> None:
        """`patience_s`: how long a request waits for its turn before it is refused."""
        self._connect = connect
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(most)
        self._idle: list[AsyncConnection] = []

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[AsyncConnection]:
        """A working connection in autocommit mode. Raises DatabaseAwayError, also for what fails inside."""
        await self._take_turn()
        connection: AsyncConnection | None = None
        try:
            connection = await self._idle_or_new()
            yield connection
        except (errors.OperationalError, errors.ReadOnlySqlTransaction) as error:
            raise DatabaseAwayError(str(error).partition("\n")[0]) from error
        finally:
            self._turns.release()
            if connection is not None:
                await self._give_back(connection)

    async def warm(self, count: int) -> None:
        """Open `count` connections beforehand. Raises DatabaseAwayError."""
        try:
            self._idle += [await self._connect() for _ in range(count)]
        except errors.OperationalError as error:
            raise DatabaseAwayError(str(error).partition("\n")[0]) from error

    async def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            await self._idle.pop().close()

    async def _take_turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise DatabaseAwayError("all connections are busy") from error

    async def _idle_or_new(self) -> AsyncConnection:
        while self._idle:
            connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            await connection.close()
        return await self._connect()

    async def _give_back(self, connection: AsyncConnection) -> None:
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            await connection.close()


def _is_alive(connection: AsyncConnection) -> bool:
    """An idle connection has nothing to read, except its end or a notice (a reloaded parameter)."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return True
    try:
        connection.pgconn.consume_input()
    except psycopg.Error:
        return False
    return connection.pgconn.status == ConnStatus.OK
