"""The audit log in PostgreSQL, as SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from seatrial.ledger.entry import GENESIS, Entry
from seatrial.ledger.merkle import Frontier
from seatrial.testbed.app.audit.groups import Batch, Outcome, Stored, plan
from seatrial.testbed.app.connections import Connections, DatabaseAwayError

_HASH = 32
_LEASE_S = 3  # a signer that is slower may meet another one: `_CHECKPOINT` lets only one of them through
_HEAD = "SELECT size, hash FROM head FOR UPDATE"
_KNOWN = "SELECT id, first, last, digest FROM batches WHERE id = ANY(%s)"
_BATCHES = (
    "INSERT INTO batches (id, first, last, digest)"
    " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bytea[])"
)
_STATUS = """
SELECT head.size, signed.size, signer.failure, coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT stored_at FROM batches WHERE last >= signed.size ORDER BY last LIMIT 1)), 0)::float
FROM head, signer, (SELECT coalesce(max(size), 0) AS size FROM checkpoints) AS signed
"""
_TAKE = (
    "UPDATE signer SET holder = %s, until = clock_timestamp() + make_interval(secs => %s)"
    " WHERE holder = %s OR until < clock_timestamp()"
)
_CHECKPOINT = (
    "INSERT INTO checkpoints (size, note, peaks) SELECT %s, %s, %s"
    " WHERE NOT EXISTS (SELECT FROM checkpoints WHERE size >= %s)"
)


@dataclass(frozen=True, slots=True)
class Status:
    """How far the log and its signatures are. `failure`: why the last signature failed."""

    size: int
    signed: int
    failure: str | None
    oldest_unsigned_s: float

    @property
    def unsigned(self) -> int:
        """Entries that nobody has signed yet."""
        return self.size - self.signed


@dataclass(frozen=True, slots=True)
class Signed:
    """The last checkpoint, and what is needed to go on from it."""

    note: bytes | None  # None: nothing was ever signed
    tree: Frontier
    head: bytes


class Store:
    """All that the audit log does with its database. Every method raises DatabaseAwayError."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def commit(self, group: Sequence[Batch]) -> tuple[Outcome, ...]:
        """Store a group in one transaction; returns when the synchronous standby has it."""
        async with self._lease() as connection, connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(_HEAD)
            row = await cursor.fetchone()
            assert row is not None  # the schema has made it
            await cursor.execute(_KNOWN, ([batch.id for batch in group],))
            known = {found[0]: Stored(*found[1:]) for found in await cursor.fetchall()}
            planned = plan(row[0], row[1].encode(), known, group)
            if planned.batches:
                async with cursor.copy("COPY entries (seq, batch, line) FROM STDIN") as copy:
                    await copy.write(_copied(planned.entries))
                ids, places = zip(*planned.batches, strict=True)
                columns = [[getattr(place, name) for place in places] for name in ("first", "last", "digest")]
                await cursor.execute(_BATCHES, (list(ids), *columns))
                await cursor.execute(
                    "UPDATE head SET size = %s, hash = %s", (planned.size, planned.head.decode())
                )
        return planned.outcomes

    async def status(self) -> Status:
        """As it is now."""
        async with self._lease() as connection:
            row = await (await connection.execute(_STATUS)).fetchone()
        assert row is not None
        return Status(*row)

    async def take_lease(self, holder: str) -> bool:
        """Whether `holder` is the one who signs for the next seconds.

        A lease, not a lock: a signer that hangs with its connection open loses it too.
        """
        async with self._lease() as connection:
            return (await connection.execute(_TAKE, (holder, _LEASE_S, holder))).rowcount == 1

    async def tell_failure(self, failure: str | None) -> None:
        """Let every process know how the last signature went."""
        async with self._lease() as connection:
            await connection.execute("UPDATE signer SET failure = %s", (failure,))

    async def signed(self) -> Signed:
        """Where signing goes on. Raises ValueError when a stored frontier is none."""
        async with self._lease() as connection:
            found = await connection.execute(
                "SELECT size, note, peaks, line FROM checkpoints JOIN entries ON seq = size - 1"
                " ORDER BY size DESC LIMIT 1"
            )
            row = await found.fetchone()
        if row is None:
            return Signed(None, Frontier(), GENESIS)
        size, note, peaks, line = row
        pieces = [bytes(peaks[start : start + _HASH]) for start in range(0, len(peaks), _HASH)]
        return Signed(note.encode(), Frontier.restore(size, pieces), Entry.parse(line.encode()).hash.encode())

    async def lines(self, start: int, most: int) -> list[bytes]:
        """The lines from entry `start` on, each with its newline."""
        async with self._lease() as connection:
            found = await connection.execute(
                "SELECT line FROM entries WHERE seq >= %s ORDER BY seq LIMIT %s", (start, most), binary=True
            )
            return [line.encode() + b"\n" for (line,) in await found.fetchall()]

    async def add_checkpoint(self, size: int, note: bytes, tree: Frontier) -> bool:
        """Whether it was added: it is not when there is one of this size or a larger one."""
        async with self._lease() as connection:
            values = (size, note.decode(), b"".join(tree.peaks), size)
            return (await connection.execute(_CHECKPOINT, values)).rowcount == 1

    async def key(self) -> str | None:
        """The verifier key, once it is known."""
        async with self._lease() as connection:
            row = await (await connection.execute("SELECT verifier FROM keys")).fetchone()
        return row[0] if row else None

    async def keep_key(self, key: str) -> None:
        """Pin the verifier key; the first one stays."""
        async with self._lease() as connection:
            await connection.execute("INSERT INTO keys (verifier) VALUES (%s) ON CONFLICT DO NOTHING", (key,))

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[psycopg.AsyncConnection]:
        try:
            async with self._connections.lease() as connection:
                yield connection
        except psycopg.Error as error:  # also InternalError: the server ended an idle transaction
            raise DatabaseAwayError(str(error).partition("\n")[0]) from error


def _copied(entries: Sequence[tuple[int, str, bytes]]) -> bytes:
    """Rows in COPY's text form. Canonical JSON has no control characters: only backslashes need care."""
    rows = b"".join([b"%d\t%b\t%b\n" % (seq, batch.encode(), line) for seq, batch, line in entries])
    return rows.replace(b"\\", b"\\\\")
