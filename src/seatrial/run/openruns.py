"""Which runs have not come to their end: a record of each, findable from anywhere after a crash.

    $SEATRIAL_HOME/open-runs/<token>.json   from before anything is touched until all is sealed and recorded
                            /<token>.lock   an flock, gone the moment its holder is, however that came about

Evidence may be anywhere (`--out`), so the record says where. A verdict that the evidence or the run database
could not take is kept in it, for the next who can put it there. The lock file also has some room set aside:
it is given up when the record has to take a verdict on a disk that is full by then.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import uuid
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from seatrial import disk
from seatrial.home import private_directory
from seatrial.model.problems import CannotStore

if TYPE_CHECKING:
    from seatrial.incidents import Reporter
    from seatrial.model.experiment import Experiment
    from seatrial.model.result import RunResult

    Reporters = Callable[[Experiment | None, str], Reporter | None]
    """Who records a run of an experiment (None: unknown) that a command runs again; None: nobody can."""
    OpenReporters = Callable[[], AbstractContextManager[Reporters]]

_log = logging.getLogger(__name__)

_RESERVED = 256 << 10  # bytes: more than a verdict has


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run, and where its evidence is. `command` runs it again.

    of_a_search: whether it is one of the runs of a search, which stand in no history and open no incident,
    but for one that leaves something behind.
    """

    run: str
    experiment: str
    target: str
    directory: str
    started_at: str  # RFC 3339, UTC
    command: str
    pid: int  # of its conductor; the lock says whether it lives
    verdict: dict[str, Any] | None = (
        None  # a verdict.json, where it was decided and is not yet where it belongs
    )
    of_a_search: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that was finished; `result` is None when that did not work, and `pending` says why."""

    run: OpenRun
    result: RunResult | None
    pending: tuple[str, ...] = ()


class HeldRun:
    """An open run that we hold locked, so that nobody else finishes it meanwhile."""

    def __init__(self, path: Path, run: OpenRun, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.run = run

    def keep(self, verdict: dict[str, Any]) -> None:
        """Store the verdict in the record, for whoever finishes the run later. Raises CannotStore."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)  # gives up the room
        self.run = replace(self.run, verdict=verdict)
        _write(self.path, self.run)

    def forget(self) -> None:
        """Delete the record of a run that has been finished. Raises CannotStore."""
        with disk.storing("the record of an open run", self.path):
            self.path.unlink(missing_ok=True)
            _lock_of(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def begin(home: Path, run: OpenRun) -> HeldRun:
    """Record durably that a run begins, and hold it. Raises CannotStore; then nothing may be touched."""
    path = _directory(home) / f"{uuid.uuid4().hex}.json"
    with disk.storing("the record of an open run", path):
        private_directory(path.parent)
        lock = os.open(_lock_of(path), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    held = HeldRun(path, run, lock)
    try:
        with disk.storing("the record of an open run", path):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            disk.reserve(lock, _RESERVED)
        _write(path, run)
    except CannotStore:
        with held, contextlib.suppress(CannotStore):
            held.forget()
        raise
    return held


def left(home: Path) -> Generator[HeldRun]:
    """Each run whose conductor is gone, held until the next is asked for. Raises CannotStore."""
    for path in sorted(_directory(home).glob("*.json")):
        held = _taken(path)
        if held is not None:
            with held:
                yield held


def unfinished(home: Path) -> list[tuple[OpenRun, bool]]:
    """Each run that has not come to its end, and whether its conductor lives; nothing is held for it.

    A record that cannot be read, or is gone meanwhile, is left out.
    """
    found = []
    for path in sorted(_directory(home).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            run = OpenRun(**json.loads(path.read_bytes()))
            found.append((run, _is_held(_lock_of(path), run.pid)))
    return found


def _is_held(lock: Path, pid: int) -> bool:
    """Whether `pid` holds the lock.

    Linux lists who holds which. Trying the lock, as must be done elsewhere, would keep it from somebody who
    wants it in that moment.
    """
    inode = lock.stat().st_ino
    with contextlib.suppress(OSError):
        held = (line.split() for line in Path("/proc/locks").read_text().splitlines())
        return any(
            fields[1] == "FLOCK" and fields[4] == str(pid) and fields[5].rpartition(":")[2] == str(inode)
            for fields in held
            if len(fields) > 5
        )
    descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _directory(home: Path) -> Path:
    return home / "open-runs"


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _taken(path: Path) -> HeldRun | None:
    """The run, locked; None while its conductor lives, or when another process has finished it already."""
    with disk.storing("the record of an open run", path):
        lock = os.open(_lock_of(path), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return HeldRun(path, OpenRun(**json.loads(path.read_bytes())), lock)
        except BlockingIOError:
            os.close(lock)
        except FileNotFoundError:
            _lock_of(path).unlink(missing_ok=True)
            os.close(lock)
        except (ValueError, TypeError) as error:  # of another version, or written into: it must block no run
            _log.warning("%s is not a record that can be read (%s); take it away by hand", path, error)
            os.close(lock)
        except BaseException:
            os.close(lock)
            raise
    return None


def _write(path: Path, run: OpenRun) -> None:
    with disk.storing("the record of an open run", path):
        disk.write_whole(path, json.dumps(asdict(run), ensure_ascii=False).encode())
