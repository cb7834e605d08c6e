"""A release that is stopped and started with commands.

    release.blue:
      driver: command
      start: [systemctl, start, shop-blue]
      stop: [systemctl, stop, shop-blue]
      ready: http://127.0.0.1:9001/healthz

The actions release.stop and release.start run its commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding
from seatrial.model.problems import Path
from seatrial.model.quantities import Duration


class CommandBinding(Binding):
    """A release that is stopped and started with commands, and known to be ready by asking it."""

    driver: ClassVar[str] = "command"

    ready: str = Field(default="", examples=["http://127.0.0.1:9001/healthz"])
    """An address that answers 2xx when the release can serve."""
    within: Duration = Duration(30.0)
    """Each command must be through within that time."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("ready",), self.ready
