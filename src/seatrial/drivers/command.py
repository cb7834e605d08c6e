"""A release that is stopped and started with commands: {driver: command, start: …, stop: …, ready: …}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from seatrial.drivers.binding import Binding
from seatrial.model.problems import Path
from seatrial.model.quantities import Duration


class CommandBinding(Binding):
    """How it is started and stopped, and known to be ready."""

    driver: ClassVar[str] = "command"

    ready: str = ""  # an address that answers 2xx when the release can serve
    within: Duration = Duration(30.0)

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("ready",), self.ready
