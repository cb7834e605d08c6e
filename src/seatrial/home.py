"""Where state lives that must be found from anywhere after a crash: fault journal, run database, keys.

It is nobody else's: directories are made with mode 0700 and files with 0600, whatever the umask. A directory
that somebody else made is left as it is; what we put into it is private all the same.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path

from seatrial.model.problems import BadInput

_log = logging.getLogger(__name__)

_DIRECTORY, _FILE, _OWNER = 0o700, 0o600, 0o700
_OURS = ("faults.sqlite", "seatrial.sqlite", "guardian.log", "locks", "open-runs", "keys", "calibration.json")


def seatrial_home(environment: Mapping[str, str] = os.environ) -> Path:
    """`$SEATRIAL_HOME`, else the user's state directory. Absolute; it need not exist.

    Raises BadInput when a file is there.
    """
    chosen = environment.get("SEATRIAL_HOME")
    place = (Path(chosen).expanduser() if chosen else user_state_path("seatrial")).absolute()
    if place.is_file():
        raise BadInput(f"SEATRIAL_HOME: {place} is a file; name a directory")
    return place


def private_directory(path: Path) -> Path:
    """Make `path`, and what is missing above it, for its owner alone (0700); gives `path`. Raises OSError."""
    missing = [path] if not path.is_dir() else []
    while missing and not missing[-1].parent.is_dir():
        missing.append(missing[-1].parent)
    for directory in reversed(missing):
        directory.mkdir(mode=_DIRECTORY, exist_ok=True)
    return path


def private(path: str | os.PathLike[str], flags: int) -> int:
    """For `open(…, opener=private)`: a file that is made is its owner's alone (0600)."""
    return os.open(path, flags | os.O_CLOEXEC, _FILE)


def touch_private(path: Path) -> None:
    """Make sure that `path` is there before a library opens it, which would make it by the umask.

    One that exists is not opened: closing it again would drop the locks that this process holds on it through
    another descriptor, as SQLite does.
    """
    with contextlib.suppress(FileExistsError):
        os.close(private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def make_private(path: Path) -> None:
    """Take the rights of others from a file, or from a directory and everything in it. Follows no link.

    Where the system refuses that (another user's directory, a file system without rights), a warning says so.
    """
    for each in (path, *path.rglob("*")):
        _narrow(each)


def make_private_what_is_ours(home: Path) -> None:
    """Take the rights of others from what an earlier version made in `home`.

    The default place is ours as a whole. One that `SEATRIAL_HOME` names may not be for us alone, so it is
    left as it is, and what we put there is not.
    """
    if home == user_state_path("seatrial").absolute():
        _narrow(home)
    for name in _OURS:
        for path in (home / name, home / f"{name}-wal", home / f"{name}-shm"):
            make_private(path)


def _narrow(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and stat.S_IMODE(mode) & ~_OWNER:
            path.chmod(stat.S_IMODE(mode) & _OWNER)
    except FileNotFoundError:
        return  # nobody can read what is not there, or not any more
    except OSError as error:
        _log.warning("%s can be read by others, and that cannot be changed: %s", path, error.strerror)
