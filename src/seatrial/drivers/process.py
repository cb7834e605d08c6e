"""A process of this machine.

    {driver: process, pidfile: run/worker.pid, start: [systemctl, start, worker]}

Where a supervisor starts it again, `start` can be left out.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers.binding import Binding
from seatrial.drivers.pidfiles import Pidfiles
from seatrial.model.role import Role


class ProcessBinding(Binding):
    """A process of this machine: where its number stands, and how it is started."""

    driver: ClassVar[str] = "process"

    def processes(self, role: Role) -> Pidfiles:
        """Those of its pidfiles, on this machine."""
        return Pidfiles.here(role)
