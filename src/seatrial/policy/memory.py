"""What was found earlier, in one SQLite file: results by the hash of all they depend on, and seen files.

    results   ruleset (policies, data, engine, readers), input (reader, bytes, and the name if asked for)
    files     path, stamp ─► hash of the bytes       blobs   id in git ─► hash of the bytes

It can be deleted at any time, and a damaged one is: then everything is evaluated once. It belongs to its
owner alone, for whoever writes to it decides verdicts.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatrial import disk
from seatrial.home import private_directory, touch_private
from seatrial.model.problems import BadInput
from seatrial.policy.contents import read
from seatrial.policy.readers import reader_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS results
    (ruleset TEXT, input TEXT, told TEXT, PRIMARY KEY (ruleset, input)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (blob TEXT PRIMARY KEY, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rulesets (ruleset TEXT PRIMARY KEY, used INTEGER);
"""
_HEADER = b"SQLite format 3\0"
_MOST_RULESETS = 8
_MOST_ROWS = 500_000  # of each table
_PATIENCE_S = 10.0


def refuse_what_is_none(place: Path) -> None:
    """Raises BadInput for a place that no memory can be at, or that somebody else's file is at.

    A damaged memory is deleted, which nobody wants of a file that was named by mistake.
    """
    if place.is_dir():
        raise BadInput(f"{place} is a directory; name a file, such as {place / 'policy.sqlite'}")
    with contextlib.suppress(OSError), place.open("rb") as file:
        if file.read(len(_HEADER)) not in (b"", _HEADER):
            raise BadInput(f"{place} is no memory of policy checks; name another file, or delete it")


def input_key(path: str, sha256: str, *, by_name: bool) -> str:
    """What a result depends on beside the ruleset. by_name: whether a rule may ask for the file's name."""
    place = os.path.abspath(path) if by_name else ""
    return hashlib.sha256(os.fsencode(f"{reader_of(path)}\0{sha256}\0{place}")).hexdigest()


def hash_of(value: object) -> str:
    """The SHA-256 of a value as JSON."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


@dataclass(slots=True)
class News:
    """What a check adds: by input, by path, by blob."""

    results: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    blobs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What was remembered. `results` are those of one ruleset; each is JSON of `Told.plain`."""

    results: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """The file at `place`."""

    place: Path

    def recall(self, ruleset: str, *, blobs: bool) -> Known:
        """Everything for a ruleset. Nothing, when there is none or it is damaged. Raises CannotStore."""
        if not self.place.exists():
            return Known()
        try:
            with self._open() as database:
                results = database.execute("SELECT input, told FROM results WHERE ruleset = ?", (ruleset,))
                return Known(
                    dict(results.fetchall()),
                    {path: (stamp, sha) for path, stamp, sha in database.execute("SELECT * FROM files")},
                    dict(database.execute("SELECT * FROM blobs").fetchall()) if blobs else {},
                )
        except sqlite3.OperationalError:  # another check writes for longer than one waits
            return Known()
        except sqlite3.DatabaseError:
            self._forget()
            return Known()

    def keep(self, ruleset: str, news: News, now: int) -> None:
        """Add what is new, and forget what is oldest. `now`: seconds since 1970. Raises CannotStore."""
        try:
            with self._open() as database:
                database.executemany(
                    "INSERT OR REPLACE INTO results VALUES (?, ?, ?)",
                    ((ruleset, key, told) for key, told in news.results.items()),
                )
                database.executemany(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?)",
                    ((path, stamp, sha) for path, (stamp, sha) in news.files.items()),
                )
                database.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?)", news.blobs.items())
                database.execute("INSERT OR REPLACE INTO rulesets VALUES (?, ?)", (ruleset, now))
                _tidy(database)
        except sqlite3.OperationalError:  # as above, or the disk is full: then it is found again next time
            return
        except sqlite3.DatabaseError:
            self._forget()

    def forget(self, paths: Sequence[str]) -> None:
        """Take out what is known of these files and of all with the same bytes. Raises CannotStore."""
        with self._open() as database:
            for path in paths:
                content = read(path)
                keys = [input_key(path, content.sha256, by_name=each) for each in (True, False)]
                database.execute("DELETE FROM results WHERE input IN (?, ?)", keys)
                database.execute("DELETE FROM files WHERE path = ?", (os.path.abspath(path),))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with disk.storing("the memory of policy checks", self.place):
            private_directory(self.place.parent)
            touch_private(self.place)
        database = sqlite3.connect(self.place, timeout=_PATIENCE_S)
        try:
            database.execute("PRAGMA synchronous=OFF")  # what a crash takes away is found again
            database.executescript(_SCHEMA)
            with database:
                yield database
        finally:
            database.close()

    def _forget(self) -> None:
        for file in (self.place, self.place.with_name(f"{self.place.name}-journal")):
            file.unlink(missing_ok=True)


def _tidy(database: sqlite3.Connection) -> None:
    database.execute(
        "DELETE FROM rulesets WHERE ruleset NOT IN (SELECT ruleset FROM rulesets ORDER BY used DESC LIMIT ?)",
        (_MOST_RULESETS,),
    )
    database.execute("DELETE FROM results WHERE ruleset NOT IN (SELECT ruleset FROM rulesets)")
    for table in ("results", "files", "blobs"):
        (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # one of ours
        if rows > _MOST_ROWS:
            database.execute(f"DELETE FROM {table}")  # noqa: S608
