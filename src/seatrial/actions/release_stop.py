"""Stop a release.

    {at: 10s, action: release.stop, on: release.blue}

Some teams switch the old release off to save money, and find out at the rollback what a cold start costs.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.release import ReleaseAction, run_command
from seatrial.drivers.command import CommandBinding
from seatrial.undo.protocol import Undo


class ReleaseStop(ReleaseAction):
    """Stop the release; returns when its stop command does."""

    name: ClassVar[str] = "release.stop"

    def inject(self, undo: Undo) -> None:
        release = undo.role.bound_to(CommandBinding)
        run_command(undo.role, release.stop, release.within)
