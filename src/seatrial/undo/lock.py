"""One conductor a target: two drills on one system measure each other.

The lock is an flock, so it is gone the moment its holder is, however that came about. Beside it stands who
holds it, for the one who is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from seatrial import disk
from seatrial.home import private_directory
from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessId, is_running


@dataclass(frozen=True, slots=True)
class Holder:
    """Who drills a target, and since when (RFC 3339, UTC)."""

    process: ProcessId
    session: str
    target: str
    experiment: str
    since: str

    def __str__(self) -> str:
        return f"{self.process}, running {self.experiment} since {self.since}"


class TargetLock:
    """The exclusive right to inject into a target, held from `acquire` to `release` or the holder's death."""

    def __init__(self, home: Path, target: str) -> None:
        digest = hashlib.sha256(target.encode()).hexdigest()[:16]  # a target's name need not fit a file name
        self.path = home / "locks" / f"{digest}.lock"
        self._descriptor: int | None = None

    def acquire(self, holder: Holder) -> None:
        """Take it. Raises Unavailable with who holds it when another does, CannotStore for want of a disk."""
        with disk.storing("the right to a target", self.path):
            self._acquire(holder)

    def _acquire(self, holder: Holder) -> None:
        private_directory(self.path.parent)
        descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            who = self.holder() or "another process"
            raise Unavailable(
                f"the target {holder.target} is being drilled already, by {who};"
                " wait for it to end, or stop it"
            ) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back; nothing happens when it is not held."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # who held it is told for people; the lock is the kernel's
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> Holder | None:
        """Who holds it now; None when nobody does, or when it is changing hands this instant."""
        try:
            data = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return None
        holder = Holder(**{**data, "process": ProcessId(**data["process"])})
        return holder if is_running(holder.process) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
