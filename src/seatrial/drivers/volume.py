"""A file system that may be filled.

    {driver: volume, path: /var/lib/shop, most: 20GiB}

The fault volume.fill fills it up with one file, which its undo deletes.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import ByteSize, Field

from seatrial.drivers.binding import Binding
from seatrial.model.strict import Size


class VolumeBinding(Binding):
    """A file system that may be filled."""

    driver: ClassVar[str] = "volume"

    path: str = Field(examples=["/var/lib/shop"])
    """A directory on it."""
    most: Size = Field(default=ByteSize(4 << 30), examples=["20GiB"])
    """The largest file system that may be filled at all; a larger one is refused."""
