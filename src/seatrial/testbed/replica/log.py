"""The operations that a replica holds, on disk before anybody is told of them.

SQLite in WAL mode with `synchronous=FULL`: a commit returns when the disk has it. One transaction takes many
operations (group commit). The log is also what a peer is sent from, so a peer that was away for an hour costs
no memory here, and what a checker reads afterwards.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from seatrial.model.problems import BadInput, Unavailable
from seatrial.testbed.replica.operation import Operation

_FILE, _LOCK = "operations.sqlite", "lock"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (region TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS operations (
    position INTEGER PRIMARY KEY,       -- the order in which they came to this replica
    origin TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    recorded_unix_s REAL NOT NULL,
    operation TEXT NOT NULL,
    UNIQUE (origin, number)
);
CREATE INDEX IF NOT EXISTS by_key ON operations (origin, key);
"""


class OperationLog:
    """One replica's log. Not for several threads at once."""

    def __init__(self, directory: Path, region: str) -> None:
        """Open or make it. Raises BadInput when it is another region's, Unavailable when it is in use."""
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise Unavailable(
                f"{directory}: another replica is at work on this log; stop it first"
            ) from error
        self._database = sqlite3.connect(directory / _FILE, isolation_level=None, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.executescript(_SCHEMA)
            self._belongs_to(region, directory)
        except BaseException:
            self.close()
            raise

    def _belongs_to(self, region: str, directory: Path) -> None:
        owner = self._database.execute("SELECT region FROM owner").fetchone()
        if owner is None:
            self._database.execute("INSERT INTO owner VALUES (?)", (region,))
        elif owner[0] != region:
            raise BadInput(f"{directory}: is the log of the region {owner[0]}, not of {region}")

    def append(self, operations: Sequence[Operation], unix_s: float) -> None:
        """Add them, all or none; they are durable when it returns. Raises sqlite3.Error."""
        rows = [
            (each.dot.origin, each.dot.number, each.key, unix_s, each.to_json()) for each in operations
        ]  # fmt: skip
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "INSERT INTO operations (origin, number, key, recorded_unix_s, operation)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            )
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def find(self, origin: str, key: str) -> Operation | None:
        """The operation that `origin` issued for a write's key."""
        row = self._database.execute(
            "SELECT operation FROM operations WHERE origin = ? AND key = ?", (origin, key)
        ).fetchone()
        return Operation.from_json(row[0]) if row else None

    def all(self) -> Iterator[Operation]:
        """Every operation in the order in which they came."""
        for (text,) in self._database.execute("SELECT operation FROM operations ORDER BY position"):
            yield Operation.from_json(text)

    def since(self, origin: str, number: int, most: int) -> list[str]:
        """Operations of `origin` behind a number, as JSON, in order."""
        rows = self._database.execute(
            "SELECT operation FROM operations WHERE origin = ? AND number > ? ORDER BY number LIMIT ?",
            (origin, number, most),
        )
        return [text for (text,) in rows]

    def page(self, position: int, most: int) -> list[tuple[int, str]]:
        """Operations behind a position, whoever issued them: position and JSON."""
        return self._database.execute(
            "SELECT position, operation FROM operations WHERE position > ? ORDER BY position LIMIT ?",
            (position, most),
        ).fetchall()

    def recorded_unix_s(self, origin: str, number: int) -> float | None:
        """When an operation became durable here, by the machine's clock."""
        row = self._database.execute(
            "SELECT recorded_unix_s FROM operations WHERE origin = ? AND number = ?", (origin, number)
        ).fetchone()
        return float(row[0]) if row else None

    def close(self) -> None:
        """Let go of the files."""
        self._database.close()
        os.close(self._lock)
