"""Files that cannot be written or read: told once and alike, with path, reason, free room and the way out.

A full disk, a read-only one, a missing permission or too many open files are no defects of ours and nothing
that a user wrote: what was asked for cannot be done here and now, so it is `Unavailable` and exit code 2.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from seatrial.home import private
from seatrial.model.problems import CannotStore

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_WAYS_OUT = {
    errno.ENOSPC: "free some room there",
    errno.EDQUOT: "free some room there, or have the quota raised",
    errno.EROFS: "it is mounted read-only",
    errno.EACCES: "mend the permissions, or choose another place",
    errno.EPERM: "mend the permissions, or choose another place",
    errno.EMFILE: "too many files are open; allow more with: ulimit -n",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOMEM: "memory has run out",
    errno.EIO: "the disk fails; the kernel's log says more",
}
TROUBLES = frozenset(_WAYS_OUT)
"""The errors of system calls that speak of the machine and not of the program."""

_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # FALLOC_FL_…, linux/falloc.h
_CANNOT = (errno.EOPNOTSUPP, errno.ENOSYS)  # of a file system


@contextlib.contextmanager
def storing(what: str, path: Path) -> Iterator[None]:
    """Translate what keeps a file from being written or read. Raises CannotStore.

    what: what `path` holds, for people: "the verdict".
    """
    try:
        yield
    except (OSError, MemoryError) as error:
        raise cannot_store(what, path, error) from error


def cannot_store(what: str, path: Path, error: OSError | MemoryError) -> CannotStore:
    """The error for people. Where the system names a file, that one is told."""
    number = errno.ENOMEM if isinstance(error, MemoryError) else (error.errno or errno.EIO)
    named = getattr(error, "filename", None)
    place = Path(os.fsdecode(named)) if isinstance(named, (str, bytes, os.PathLike)) else path
    if not place.is_absolute():
        place = path.parent / place
    reason = os.strerror(number)
    way_out = _WAYS_OUT.get(number, "")
    room = room_told(place) if number in _FULL else ""
    return CannotStore(f"{what}: {place} cannot be written or read: {reason}{room}", way_out, number)


def room_told(path: Path) -> str:
    """` (12.3 MiB free)`; empty when nobody can say."""
    free = free_bytes(path)
    return "" if free is None else f" ({amount(free)} free)"


def free_bytes(path: Path) -> int | None:
    """What may still be written where `path` is or would be, in bytes; None when nobody can say."""
    place = nearest_existing(path)
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def nearest_existing(path: Path) -> Path:
    """`path`, or the nearest directory above it that exists."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # links stay as they are
    return next((each for each in (absolute, *absolute.parents) if os.path.lexists(each)), Path("/"))


def amount(size: int) -> str:
    """A number of bytes for people."""
    if size < 1024:
        return f"{size} bytes"
    value, units = size / 1024, iter(("KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while value >= 1024 and unit != "TiB":
        value, unit = value / 1024, next(units)
    return f"{value:.1f} {unit}"


def reserve(descriptor: int, size: int) -> None:
    """Have the disk set aside `size` bytes for a file, from its first byte on, without making it longer.

    Writing them cannot fail for want of room afterwards. Raises OSError when there is not so much; does
    nothing where the file system cannot do this.
    """
    number = _allocate(descriptor, _KEEP_SIZE, 0, size)
    if number not in (0, *_CANNOT):
        raise OSError(number, os.strerror(number))


def forget(descriptor: int, start: int, stop: int) -> bool:
    """Give back the room that bytes of a file take: they are zeros then, and all others stay where they are.

    Whether the file system can do this. Raises OSError when it can, and did not.
    """
    number = _allocate(descriptor, _KEEP_SIZE | _PUNCH_HOLE, start, stop - start)
    if number not in (0, *_CANNOT):
        raise OSError(number, os.strerror(number))
    return number == 0


def _allocate(descriptor: int, mode: int, start: int, size: int) -> int:
    """fallocate(2): 0, or why not."""
    libc = ctypes.CDLL(None, use_errno=True)
    fallocate = getattr(libc, "fallocate", None) if _on_linux() else None
    if fallocate is None:
        return errno.ENOSYS
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    return 0 if fallocate(descriptor, mode, start, size) == 0 else ctypes.get_errno()


def _on_linux() -> bool:
    return sys.platform == "linux"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`, its owner's alone: a crash leaves the old file or the new one. Raises OSError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with open(partial, "wb", opener=private) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # what was written of it takes room that others need
            partial.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
