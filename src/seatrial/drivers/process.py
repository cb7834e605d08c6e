"""A process of this machine: {driver: process, pidfile: run/worker.pid, start: [program, argument …]}."""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers.binding import Binding


class ProcessBinding(Binding):
    """Where its number stands, and how it is started."""

    driver: ClassVar[str] = "process"
