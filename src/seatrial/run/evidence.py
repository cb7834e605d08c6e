"""The evidence directory: `runs/<utc>-<experiment>/`, written so that a crash leaves what had happened.

| file               | what it is                                                                |
|--------------------|---------------------------------------------------------------------------|
| experiment.yaml    | the experiment as written                                                  |
| openslo.yaml       | the OpenSLO file that it names, if it does                                |
| plan.json          | as resolved: target (secrets as references), overrides, versions, machine |
| replay.npy, .csv   | the arrivals of an access log, as they were offered again: when, and what |
| journal.jsonl      | what happened when, appended and fsync'ed line by line                    |
| requests.parquet   | the request log                                                           |
| stored-*.parquet   | which of the run's writes the target held afterwards                      |
| recorded-*.json    | what replicated regions held and had done; what was told of an audit log  |
| recorded-*/        | that audit log as a ledger, for `seatrial ledger verify`                  |
| verdict.json       | the verdict and everything that was measured                              |
| report.html        | the report                                                                |
| junit.xml          | the same for CI                                                           |
| step-*.log         | what the programs of a step said                                          |
| locust.log         | the load generator's own output                                           |
| spool/             | the rows as they came; gone when all are in `requests.parquet` and judged |
| defect.txt         | where seatrial itself failed, if it did                                   |

While a run goes on, a file `.room` keeps room for what is written at its end: the disk may be full by then.
The directory is its owner's alone (0700, files 0600), and texts are written without secrets: references stand
in their places (`seatrial.model.secrets`).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from seatrial import disk
from seatrial.home import private, private_directory
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, CannotStore
from seatrial.model.result import plain
from seatrial.model.secrets import screened, shown_in

ROOM = 6 << 20
"""Bytes kept free for the end of a run: a report has 2 MB at most, the seal a line for each journal line."""

JOURNAL = "journal.jsonl"
_ROOM = ".room"
_MISNAMED = frozenset({errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL})
_SHOWN = {
    "experiment": "experiment.yaml",
    "openslo": "openslo.yaml",
    "plan": "plan.json",
    "replay": "replay.csv",
    "journal": JOURNAL,
    "requests": "requests.parquet",
    "load_log": "locust.log",
    "failover": "failover.json",
    "defect": "defect.txt",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The directory of one run. `name`: the run's id, when it differs from the directory's name."""

    directory: Path
    name: str = ""

    @classmethod
    def create(cls, experiment: str, started: datetime, out: Path | None = None) -> Evidence:
        """A directory of its own under `runs/`, or exactly `out`, which must not hold anything yet.

        Raises BadInput when there can be none of that name or it is not empty (evidence is never written
        over), CannotStore when the disk does not take it.
        """
        try:
            return cls._made(experiment, started, out)
        except OSError as error:
            if error.errno in _MISNAMED:
                raise BadInput(
                    f"cannot make the evidence directory: {error}; choose another with --out"
                ) from error
            raise disk.cannot_store("the evidence", out or Path("runs").absolute(), error) from error

    @classmethod
    def _made(cls, experiment: str, started: datetime, out: Path | None) -> Evidence:
        stamp = started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        if out is not None:
            private_directory(out)
            if any(out.iterdir()):
                raise BadInput(Mistake.NOT_EMPTY(named=f"--out {out}"))
            return cls(out.resolve(), f"{stamp}-{out.resolve().name}")
        private_directory(Path("runs"))
        for attempt in range(1, 1000):
            suffix = f"-{attempt}" if attempt > 1 else ""
            directory = Path("runs") / f"{stamp}-{experiment}{suffix}"
            try:
                directory.mkdir(mode=0o700)
            except FileExistsError:
                continue  # another run began in the same second
            return cls(directory.resolve())
        raise BadInput("cannot find a free name for the evidence directory under runs/")

    @property
    def run(self) -> str:
        """The run's id. With the instant in it, for the directories of a suite's runs have the same names
        each month, and a run is recorded once."""
        return self.name or self.directory.name

    def path(self, name: str) -> Path:
        """A file of this run."""
        return self.directory / name

    def discard(self) -> bool:
        """Delete the directory of a run that was not started: before, it was empty or did not exist.

        Whether nothing is left.
        """
        try:
            shutil.rmtree(self.directory)
        except OSError:  # the same that kept us from writing; why is told by who could not
            return False
        return True

    def keep_room(self) -> None:
        """Set room aside for the end of the run. Raises CannotStore when there is not so much."""
        path = self.path(_ROOM)
        with disk.storing("room for the verdict and the report", path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                disk.reserve(descriptor, ROOM)
            finally:
                os.close(descriptor)

    def give_room(self) -> None:
        """Free the room that was set aside: the run has ended, and its last files are about to be written."""
        with contextlib.suppress(OSError):  # then what follows may lack it, and says so
            self.path(_ROOM).unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Write a whole text, durably: readers see the old one or the new one, never half.

        Raises CannotStore.
        """
        self.write_bytes(name, screened(text).encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write a whole binary file, durably."""
        with disk.storing(name, self.path(name)):
            disk.write_whole(self.path(name), data)

    def write_json(self, name: str, value: Any) -> None:
        """Write a record (or plain data) as JSON."""
        self.write_text(name, json.dumps(shown_in(plain(value)), indent=2, ensure_ascii=False) + "\n")

    def create_file(self, name: str) -> BinaryIO:
        """Open a new binary file."""
        return open(self.path(name), "wb", opener=private)

    def manifest(self) -> dict[str, str]:
        """What is there: each evidence file, and under `sha256` the digest of the request log."""
        found = {what: name for what, name in _SHOWN.items() if self.path(name).exists()}
        answers = [*self.directory.glob("stored-*.parquet"), *self.directory.glob("recorded-*.json")]
        found |= {path.stem: path.name for path in sorted(answers)}
        if "requests" in found:
            found["sha256"] = disk.file_digest(self.path(found["requests"]))
        return found


class RunJournal:
    """What happened when: one JSON object a line, durable before `write` returns.

    Each line carries `mono` (CLOCK_MONOTONIC, seconds) and `wall` (RFC 3339, UTC), so that events can be put
    on the request log's clock and beside other systems' logs.

    Whoever tells of an event has a target to put back, so `write` raises nothing. A line that the disk does
    not take is kept, tried again before the next one, and told by `trouble`: the conductor ends the run then.
    """

    def __init__(self, path: Path) -> None:
        """Open or create it. Raises CannotStore."""
        self._path = path
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self.trouble: CannotStore | None = None
        with disk.storing("the run's journal", path):
            self._file = private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._size = _end_torn_line(self._file)

    def beside(self, name: str) -> Path:
        """A file of the same run."""
        return self._path.with_name(name)

    def write(self, event: str, mono_s: float, wall: datetime, **details: Any) -> None:
        """Append one event; usable from all threads."""
        told = shown_in(plain(details))
        line = {"event": event, "mono": mono_s, "wall": wall.astimezone(UTC).isoformat(), **told}
        with self._lock:
            self._waiting.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            try:
                self._append(b"".join(self._waiting))
            except OSError as error:
                self.trouble = self.trouble or disk.cannot_store("the run's journal", self._path, error)
            else:
                self._waiting.clear()

    def close(self) -> None:
        """Close the file; nothing can be written any more. Raises CannotStore when lines were not kept."""
        with self._lock:
            os.close(self._file)
            if self._waiting and self.trouble is not None:
                raise self.trouble

    def _append(self, data: bytes) -> None:
        """All of it, durably, or nothing."""
        left = data
        try:
            while left:
                left = left[os.write(self._file, left) :]
            os.fdatasync(self._file) if hasattr(os, "fdatasync") else os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):  # a torn line is passed over by those who read
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)


def _end_torn_line(file: int) -> int:
    """End a last line that a crash has torn, so that the next stands alone. Returns the size of the file."""
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        size += os.write(file, b"\n")
    return size


def read_journal(path: Path) -> tuple[dict[str, Any], ...]:
    """The events of a run's journal; a line that a crash tore is passed over. Raises CannotStore."""
    if not path.exists():
        return ()
    with disk.storing("the run's journal", path):
        lines = path.read_bytes().split(b"\n")
    return tuple(event for line in lines if (event := _event(line)) is not None)


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
