"""A file system that may be filled: {driver: volume, path: /var/lib/shop, most: 20GiB}."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ByteSize

from seatrial.drivers.binding import Binding


class VolumeBinding(Binding):
    """A directory on it, and the size up to which it may be filled."""

    driver: ClassVar[str] = "volume"

    path: str
    most: ByteSize = ByteSize(4 << 30)
