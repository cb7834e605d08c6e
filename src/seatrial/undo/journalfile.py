"""The file of the fault journal: durable once written, shared by processes, and with room set aside.

SQLite in WAL mode with synchronous=FULL. Every error of it, of the disk and of memory comes out as one kind,
which says how much room is left.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from seatrial import disk
from seatrial.home import private_directory, touch_private
from seatrial.model.problems import Unavailable
from seatrial.undo.clock import Clock, SystemClock

_RESERVED: Final = 1 << 20  # bytes; a fault's whole life writes about 30 pages of 4 KiB
_SCHEMA: Final = """
CREATE TABLE session (
    id TEXT PRIMARY KEY, target TEXT NOT NULL, experiment TEXT NOT NULL, run TEXT NOT NULL,
    conductor TEXT NOT NULL, guardian TEXT, opened_ns INTEGER NOT NULL, ending TEXT, ended_ns INTEGER
) STRICT;
CREATE TABLE fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session TEXT NOT NULL REFERENCES session (id),
    label TEXT NOT NULL, undo TEXT NOT NULL, state TEXT NOT NULL, expires_ns INTEGER NOT NULL,
    activated INTEGER NOT NULL DEFAULT 0, claimant TEXT, verified INTEGER, error TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX fault_state ON fault (state);
CREATE TABLE event (
    fault INTEGER NOT NULL REFERENCES fault (id), what TEXT NOT NULL,
    monotonic_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, boottime_ns INTEGER NOT NULL
) STRICT;
CREATE INDEX event_fault ON event (fault);
"""
_MIGRATIONS: Final = (  # a journal of version n has had the first n
    _SCHEMA,
    "ALTER TABLE fault ADD COLUMN failure TEXT NOT NULL DEFAULT ''",  # how its undo failed: an UndoOutcome
)
_VERSION: Final = len(_MIGRATIONS)


class JournalError(Unavailable):
    """The journal cannot be read or written, so nothing may be injected."""


class JournalBusyError(JournalError):
    """Another process holds the journal's write lock for longer than anybody should."""


class JournalFile:
    """The journal at `path`; one object a process, usable from all its threads."""

    def __init__(self, path: Path, clock: Clock | None = None, *, patience_s: float = 5.0) -> None:
        """Open or create it; wait for another writer at most `patience_s`. Raises JournalError."""
        self.path = path
        self.clock = clock or SystemClock()
        self._lock = threading.RLock()
        with self._translated():
            private_directory(path.parent)
            touch_private(path)
            self._db = sqlite3.connect(
                path, timeout=patience_s, isolation_level=None, check_same_thread=False
            )
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA wal_autocheckpoint = 0")
                self._migrate()
            except BaseException:
                self._db.close()
                raise

    def _migrate(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise JournalError(f"{self.path} was written by another version ({version}) of seatrial")
            for migration in _MIGRATIONS[version:]:
                for statement in migration.split(";"):
                    self._db.execute(statement)
            if version != _VERSION:
                self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Close it; the last one to do so folds the log into the main file."""
        with self._lock, self._translated():
            self._db.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            kind = JournalBusyError if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else JournalError
            raise kind(self._unusable(error)) from error
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise JournalError(self._unusable(error)) from error

    def _unusable(self, error: Exception) -> str:
        reason = str(error) or type(error).__name__
        return f"the fault journal {self.path} cannot be used: {reason}{disk.room_told(self.path)}"

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock from the first read on: what was read is still true when it is written."""
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _reserve(self) -> None:
        """Set room aside for what is still to be written. Raises JournalError when there is none.

        SQLite takes its locks on other files than the log, so opening and closing it here drops none.
        """
        with self._translated():
            descriptor = os.open(f"{self.path}-wal", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                disk.reserve(descriptor, os.fstat(descriptor).st_size + _RESERVED)
            finally:
                os.close(descriptor)
