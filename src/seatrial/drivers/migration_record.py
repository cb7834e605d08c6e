"""The record of a migration of all tenants: durable line by line, so that a second start goes on from it.

    begun     token, process, at, tool, goal, parallel, tenants, left      one for each start
    started   tenant, schema, order, before, at
    ended     tenant, after, changed (its versions or its shape), result (done | failed | cut), said, at
    waited    who waited for a lock, for how long, and behind whom (`actions.companions.lock_waits`)
    looked    what every tenant had come to at the end
    finished  at, done, failed, looks, longest_blind_s (between two looks)   not when it was killed
    undone    at

It is kept under $SEATRIAL_HOME, one file for each set of tenants: whoever starts again, after a crash or in
another run, finds it. A start that goes on with what an earlier one has left appends to it; one that follows
a start which came to its end begins it anew. Instants are seconds since 1970.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from seatrial.drivers.tenants import TenantsBinding
from seatrial.home import private, private_directory, seatrial_home
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.model.secrets import shown_in

Line = Mapping[str, Any]


def record_path(role: Role) -> Path:
    """Where the record of a role's tenants is, there or not."""
    bound = role.as_written(TenantsBinding)
    told = json.dumps([role.name, bound.url, bound.discover])
    return seatrial_home() / "tenants" / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.jsonl"


def read_record(path: Path) -> tuple[dict[str, Any], ...]:
    """Its lines; one that a crash tore is passed over. None where there is no record. Raises Unavailable."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
    return tuple(line for each in lines if (line := _line(each)) is not None)


def _line(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "event" in line else None


def last_start(lines: Sequence[Line]) -> Line | None:
    """How the last start began, None when there was none."""
    return next((line for line in reversed(lines) if line["event"] == "begun"), None)


def came_to_its_end(lines: Sequence[Line]) -> bool:
    """Whether the last start left nothing to go on with: all tenants were done, or it was undone."""
    events = [line for line in lines if line["event"] in ("begun", "finished", "undone")]
    return (
        not events
        or events[-1]["event"] == "undone"
        or (events[-1]["event"] == "finished" and not events[-1]["failed"])
    )


def results(lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """What became of each tenant last: its `started` and `ended` in one; without `result` when it was cut."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["event"] == "started":
            found[line["tenant"]] = {**line, "started_at": line["at"]}
        elif line["event"] == "ended":
            found[line["tenant"]] = {**found.get(line["tenant"], {}), **line, "ended_at": line["at"]}
    return found


class MigrationRecord:
    """The record, open for writing by one process at a time."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._turn = threading.Lock()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Generator[Self]:
        """Hold it. Raises Unavailable while another process does."""
        private_directory(path.parent)
        file = private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                begun = last_start(read_record(path)) or {}
                raise Unavailable(
                    f"another migration of these tenants is under way (process {begun.get('process')})"
                ) from error
            record = cls(file)
            record._end_torn_line()
            yield record
        finally:
            os.close(file)

    def _end_torn_line(self) -> None:
        """So that what a crash tore stands alone, and is passed over."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def begin_anew(self) -> None:
        """Forget what is in it."""
        os.ftruncate(self._file, 0)

    def write(self, event: str, **details: Any) -> None:
        """One line, durable before this returns; usable from all threads."""
        line = {"event": event, "at": time.time(), **shown_in(details)}
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        with self._turn:
            os.write(self._file, data)
            os.fdatasync(self._file)
