"""The bytes of inputs by their hash, and when that hash is known without reading them.

Two things tell that a file need not be read. Its device, inode, size and both times are those that it had
when it was read last, and it had been quiet by then, so that no later write can have kept its times. Or
`--changed-since` names a commit that holds it, git says that it is unchanged, and a blob of that id was read
before. Everything else is read.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass

from seatrial.policy.readers import NotReadable

QUIET_NS = 2_000_000_000
"""How long a file must have been left alone before its times are believed: longer than any clock tick."""

LARGEST = 64_000_000
"""Bytes of an input; a larger file is no configuration."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read. `stamp`: to know it by later; empty when it was too young for that."""

    data: bytes
    sha256: str
    stamp: str


def stamp_of(status: os.stat_result) -> str:
    """What tells one state of a file from another, as far as the file system can."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def read(path: str, *, quiet_ns: int = QUIET_NS) -> Read:
    """Read a file. Raises NotReadable, also where it changes meanwhile and does not come to rest."""
    for _ in range(3):
        try:
            with open(path, "rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size > LARGEST:
                    raise NotReadable(f"larger than {LARGEST:,} bytes")
                data = file.read()
                after = os.fstat(file.fileno())
        except OSError as error:
            raise NotReadable(f"cannot be read: {error.strerror}") from error
        if stamp_of(before) == stamp_of(after):
            young = time.time_ns() - max(after.st_mtime_ns, after.st_ctime_ns) < quiet_ns
            return Read(data, hashlib.sha256(data).hexdigest(), "" if young else stamp_of(after))
    raise NotReadable("it is being written to")


def blob_of(data: bytes, length: int) -> str:
    """The id that git gives these bytes. `length`: of ids in that repository; 40 or 64 digits."""
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % len(data))
    digest.update(data)
    return digest.hexdigest()
