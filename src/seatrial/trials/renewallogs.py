"""What commands said that the dashboard started: kept as long as the runs they told of, never too many.

    $SEATRIAL_HOME/renewals/INSTANT.log

A log tells of the runs that began while it was written. It is pruned with the last evidence of those; one
that tells of no run, because the command refused, by its age alone. Whatever nobody prunes, the latest stay.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial import disk
from seatrial.home import private_directory
from seatrial.store import RunQuery, Store

DIRECTORY = "renewals"
"""Inside the state directory."""
MOST = 200
"""So many are kept at the most; at one a day, those of half a year."""
_NAME = re.compile(r"(\d{8}T\d{12})\.log")
_INSTANT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True, slots=True)
class RenewalLog:
    """A log: of what was said from `begun` to `ended`."""

    path: Path
    begun: datetime
    ended: datetime
    bytes: int


def new_log(home: Path, now: datetime) -> Path:
    """Where the next command's words go; makes room for it. Raises CannotStore."""
    with disk.storing("a log", home / DIRECTORY):
        place = private_directory(home / DIRECTORY)
    delete_logs(list(_logs(home))[MOST - 1 :])
    return place / f"{now.astimezone(UTC):{_INSTANT}}.log"


def outdated_logs(
    store: Store, home: Path, before: datetime, leaving: Collection[str] = ()
) -> list[RenewalLog]:
    """Those that ended before an instant and whose runs have no evidence here any more, the latest first.

    `leaving`: runs whose evidence is about to be deleted.
    """

    def is_needed(log: RenewalLog) -> bool:
        runs = store.history.runs(RunQuery(since=log.begun, until=log.ended, with_evidence=True))
        return any(run.origin.host == socket.gethostname() and run.run not in leaving for run in runs)

    return [log for log in _logs(home) if log.ended < before and not is_needed(log)]


def delete_logs(logs: Iterable[RenewalLog]) -> None:
    """Delete them. Raises CannotStore."""
    for log in logs:
        with disk.storing("a log", log.path):
            log.path.unlink(missing_ok=True)


def _logs(home: Path) -> Iterator[RenewalLog]:
    """All that are called as ours are, the latest first."""
    for path in sorted((home / DIRECTORY).glob("*.log"), reverse=True):
        named = _NAME.fullmatch(path.name)
        if named is None or path.is_symlink() or not path.is_file():
            continue
        found = path.stat()
        begun = datetime.strptime(named[1], _INSTANT).replace(tzinfo=UTC)
        yield RenewalLog(path, begun, datetime.fromtimestamp(found.st_mtime, UTC), found.st_size)
