"""Fill a file system, as logs that nobody rotates and dumps that nobody deletes do.

    {at: 5s, fault: volume.fill, on: database.wal, for: 20s, with: {leave: 1MiB}}

The role says where the file system is, and how large a one may be filled at all (by default up to 4 GiB):

    {driver: volume, path: /var/lib/shop, most: 20GiB}

What fills it is one file, a balloon, that is named after the fault's token; the undo lets the air out and
deletes it. The disk that this machine or the evidence itself lives on is never filled.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ByteSize, Field

from seatrial.drivers.volume import VolumeBinding
from seatrial.home import seatrial_home
from seatrial.model.problems import BadInput, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.strict import Size
from seatrial.undo.protocol import Declared, Undo

_PREFIX = ".seatrial-balloon-"
_BREATHS = 50  # a file system takes some space for itself when a file grows, and others write meanwhile


class Volume(BaseModel):
    """Where the balloon is, and on which device that directory was."""

    directory: str
    device: int


class VolumeFill(Declared):
    """Fills a file system."""

    name: ClassVar[str] = "volume.fill"
    drivers: ClassVar[frozenset[str]] = frozenset({"volume"})

    leave: Size = Field(default=ByteSize(0), examples=["1MiB"])
    """The space that is left to whoever is not root."""

    def prepare(self, role: Role) -> Undo:
        binding = role.bound_to(VolumeBinding)
        directory = role.path(binding.path).resolve()
        _require_apart(role, directory)
        volume = os.statvfs(directory)
        size, free = (ByteSize(blocks * volume.f_frsize) for blocks in (volume.f_blocks, volume.f_bavail))
        if size > binding.most:
            raise BadInput(
                f"roles.{role.name}: {directory} is on a volume of {_people(size)}, and at most"
                f" {_people(binding.most)} may be filled; if it is the right one, say most: {_people(size)}"
            )
        if free <= self.leave:
            raise Unavailable(f"{role.name}: {directory} has {_people(free)} left already")
        undo = self.noting(
            role,
            Volume(directory=str(directory), device=directory.stat().st_dev),
            touches=f"{_people(ByteSize(free - self.leave))} on the volume of {directory}",
            by_hand="",
        )
        return replace(undo, by_hand=shlex.join(["rm", "-f", str(directory / (_PREFIX + undo.token))]))

    def inject(self, undo: Undo) -> None:
        volume = undo.noted(Volume)
        place = os.open(volume.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.fstat(place).st_dev != volume.device:
                raise Unavailable(f"{volume.directory} is no longer on the volume that was to be filled")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            balloon = os.open(_PREFIX + undo.token, flags, 0o600, dir_fd=place)
            try:
                _blow_up(balloon, self.leave)
            finally:
                os.close(balloon)
        finally:
            os.close(place)

    def undo(self, undo: Undo) -> None:
        balloon = Path(undo.noted(Volume).directory, _PREFIX + undo.token)
        with contextlib.suppress(FileNotFoundError):
            os.truncate(balloon, 0)  # what is deleted takes its space as long as somebody has it open
            balloon.unlink()

    def gone(self, undo: Undo) -> bool:
        """Whether our balloon is away. Raises Unreachable when its volume is: it may be full still."""
        volume = undo.noted(Volume)
        directory = Path(volume.directory)
        if not directory.is_dir() or directory.stat().st_dev != volume.device:
            raise Unreachable(f"{directory} is no longer on the volume that was filled")
        return not (directory / (_PREFIX + undo.token)).exists()

    def healthy(self, role: Role) -> bool:
        directory = role.path(role.bound_to(VolumeBinding).path)
        return not list(directory.glob(f"{_PREFIX}*")) and os.statvfs(directory).f_bavail > 0


def _blow_up(balloon: int, leave: int) -> None:
    """Let a file grow until no more than `leave` bytes, or less than a block more, are free."""
    size = 0
    for _ in range(_BREATHS):
        volume = os.fstatvfs(balloon)
        spare = (volume.f_bavail * volume.f_frsize - leave) // volume.f_frsize * volume.f_frsize
        while spare > 0:
            try:
                os.posix_fallocate(balloon, size, spare)
                break
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                spare = spare // 2 // volume.f_frsize * volume.f_frsize
        if spare <= 0:
            return
        size += spare


def _require_apart(role: Role, directory: Path) -> None:
    """Raise BadInput when it is on the disk that this machine, our state or the evidence needs."""
    if not directory.is_dir():
        raise Unavailable(f"{role.name}: there is no directory {directory}")
    device = directory.stat().st_dev
    for needed, what in (
        (Path("/"), "this machine's own"),
        (seatrial_home(), "that of $SEATRIAL_HOME"),
        (Path.cwd(), "that of the evidence"),
    ):
        there = next(place for place in (needed, *needed.parents) if place.exists())
        if there.stat().st_dev == device:
            raise BadInput(f"roles.{role.name}: {directory} is on no volume of its own but on {what}")


def _people(size: ByteSize) -> str:
    return size.human_readable(separator="")
