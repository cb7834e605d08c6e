"""Start a release.

    {at: 20s, action: release.start, on: release.blue}

A start command that returns before the release can serve is itself worth measuring, so nothing is waited for.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.release import ReleaseAction, run_command
from seatrial.drivers.command import CommandBinding
from seatrial.undo.protocol import Undo


class ReleaseStart(ReleaseAction):
    """Start the release; returns when its start command does."""

    name: ClassVar[str] = "release.start"

    def inject(self, undo: Undo) -> None:
        release = undo.role.bound_to(CommandBinding)
        run_command(undo.role, release.start, release.within)
