"""The pool, with sockets that stand in for connections."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from psycopg import AsyncConnection, OperationalError, errors
from psycopg.pq import ConnStatus, TransactionStatus

from seatrial.testbed.app.connections import Connections, DatabaseAwayError


class FakeConnection:
    """As much of a connection as a pool touches, on a real socket."""

    def __init__(self) -> None:
        self._own, self.server = socket.socketpair()
        self.closed = False
        self.pgconn = SimpleNamespace(
            transaction_status=TransactionStatus.IDLE, status=ConnStatus.OK, consume_input=self._read
        )

    def _read(self) -> None:
        if not self._own.recv(100):
            raise OperationalError("server closed the connection")

    def fileno(self) -> int:
        return self._own.fileno()

    async def close(self) -> None:
        self.closed = True
        self._own.close()
        self.server.close()


class Server:
    """Makes connections, until it is told to refuse."""

    def __init__(self) -> None:
        self.made: list[FakeConnection] = []
        self.refuses = False

    async def connect(self) -> AsyncConnection[Any]:
        if self.refuses:
            raise OperationalError("connection refused\nand more lines")
        self.made.append(FakeConnection())
        return cast("AsyncConnection[Any]", self.made[-1])

    def pool(self, most: int = 2, patience_s: float = 0.01) -> Connections:
        return Connections(self.connect, most, patience_s)

    async def close(self) -> None:
        for connection in self.made:
            await connection.close()


def test_a_connection_is_used_again() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        async with pool.lease() as first:
            pass
        async with pool.lease() as second:
            assert second is first
        await pool.close()
        assert server.made[0].closed

    asyncio.run(scenario())


def test_a_connection_that_died_while_idle_is_replaced_before_anybody_uses_it() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        await pool.warm(2)
        for connection in server.made:
            connection.server.close()
        async with pool.lease() as fresh:
            assert cast("FakeConnection", fresh) is server.made[2]
        assert [connection.closed for connection in server.made] == [True, True, False]
        await server.close()

    asyncio.run(scenario())


def test_a_notice_on_an_idle_connection_is_no_reason_to_drop_it() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        await pool.warm(1)
        server.made[0].server.send(b"a parameter was reloaded")
        async with pool.lease():
            assert len(server.made) == 1
        await server.close()

    asyncio.run(scenario())


def test_the_first_request_after_the_databases_return_succeeds() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        server.refuses = True
        for _ in range(5):
            with pytest.raises(DatabaseAwayError, match=r"^connection refused$"):
                async with pool.lease():
                    pass
        server.refuses = False
        async with pool.lease():
            pass
        await server.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("failure", [errors.AdminShutdown, errors.ReadOnlySqlTransaction, OperationalError])
def test_a_database_that_goes_away_during_a_request_is_away(failure: type[Exception]) -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        await pool.warm(1)
        server.made[0].pgconn.transaction_status = TransactionStatus.UNKNOWN
        with pytest.raises(DatabaseAwayError):
            async with pool.lease():
                raise failure("gone")
        assert server.made[0].closed

    asyncio.run(scenario())


def test_a_defect_is_not_taken_for_an_absent_database() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool()
        with pytest.raises(errors.UndefinedTable):
            async with pool.lease():
                raise errors.UndefinedTable("orders")
        await server.close()

    asyncio.run(scenario())


def test_a_request_waits_for_its_turn_only_so_long() -> None:
    async def scenario() -> None:
        server = Server()
        pool = server.pool(most=1)
        async with pool.lease():
            with pytest.raises(DatabaseAwayError, match="busy"):
                async with pool.lease():
                    pass
        async with pool.lease():  # and its turn is not lost
            pass
        await server.close()

    asyncio.run(scenario())


def test_warming_says_when_nobody_is_there() -> None:
    server = Server()
    server.refuses = True
    with pytest.raises(DatabaseAwayError):
        asyncio.run(server.pool().warm(1))
