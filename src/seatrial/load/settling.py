"""Settles spools while they grow, so that a night's rows do not lie there as they came until its end.

A spool takes 41 bytes a row and more, Parquet less than half of that. A process of its own, which gives way
to everybody else, is given so many rows at a time as pay for its start:

    rows ─► Parquet, on the disk ─► the index names it, on the disk ─► a hole in the spool

Nothing is asked of the generator, which goes on appending to the same file: a hole moves nothing. Only what
whoever conducts the load has read already is settled. Where a file system cannot make holes, or the disk does
not take what is to come, spools stay as they are, and the generator's log tells why.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from seatrial import disk
from seatrial.load import settled
from seatrial.load.machine import PARENT, die_with_parent
from seatrial.load.settled import Stretch
from seatrial.load.spool import SpoolReader
from seatrial.model.problems import SeatrialError, Unavailable

ROWS = 1 << 17  # of a stretch, at the least
AT_ONCE = 4 * ROWS  # before somebody is set to work
_LATER = 10  # of nice(2): with 19 it never came to its turn beside fifteen busy processes


class Settling:
    """Sees to it for the spools in `folder`. `log`: where it is told why one stays as it is."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._tried: dict[Path, int] = {}  # how many rows there were

    def look(self, readers: Sequence[SpoolReader]) -> None:
        """Have settled what they have read, if it is worth while and nobody is at it."""
        if self.busy:
            return
        due = [each for each in readers if each.rows - self._tried.get(each.path, 0) >= AT_ONCE]
        if due:
            self._tried |= {each.path: each.rows for each in due}
            self._process = self._begin([f"{each.path.name}:{each.place}" for each in due])

    @property
    def busy(self) -> bool | None:
        """Whether somebody is at it; None when nobody has been."""
        return None if self._process is None else self._process.poll() is None

    def end(self) -> None:
        """Nobody is at it when this returns: what was not settled stays in the spools."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _begin(self, spools: list[str]) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-m", "seatrial.load.settling", "--spool", str(self._folder), *spools]
        environment = os.environ | {PARENT: str(os.getpid())}
        try:
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    env=environment,
                )  # fmt: skip
        except OSError:  # too many processes or files: the next time perhaps
            return None
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _LATER)
        return process


def settle(spool: Path, until: int, rows: int = ROWS) -> int:
    """Settle what of a spool lies before byte `until`, so many rows at a time; how many stretches it made.

    Raises BadInput for a damaged spool, CannotStore when the disk does not give or take it, Unavailable when
    no room can be given back here.
    """
    with disk.storing("the request log", spool), spool.open("rb+") as file:
        _require_holes(spool.parent)
        reader = SpoolReader(spool)
        done = reader.skip_settled()
        _forget(file.fileno(), done.start, done.stop)  # who was killed may have had no time for it
        if not done.stretches:
            os.fsync(file.fileno())  # what stays of it must be as durable as what comes
        made, start = 0, reader.place
        for part in reader.parts(rows, until):
            if len(part) < rows:
                break
            stretch = Stretch(start, reader.place, done.rows, len(part))
            settled.write(spool, stretch, part)
            done = done.behind(stretch, reader.known())
            done.write(spool)
            _forget(file.fileno(), stretch.start, stretch.stop)
            made, start = made + 1, stretch.stop
        return made


def _forget(descriptor: int, start: int, stop: int) -> None:
    if start < stop:
        disk.forget(descriptor, start, stop)


def _require_holes(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")
        file.flush()
        if not disk.forget(file.fileno(), 0, 1):
            raise Unavailable(f"{folder}: its file system cannot give back room within a file")


def main(arguments: Sequence[str]) -> int:
    """--spool FOLDER NAME:UNTIL…"""
    die_with_parent()
    _, folder, *spools = arguments
    try:
        for name, _, until in (each.rpartition(":") for each in spools):
            settle(Path(folder) / name, int(until))
    except SeatrialError as error:
        sys.stderr.write(f"The request log stays as it came, and takes more room for that: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
