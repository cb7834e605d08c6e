"""Stop a release.

    {at: 10s, action: release.stop, on: release.blue}

Some teams switch the old release off to save money, and find out at the rollback what a cold start costs.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.release import ReleaseAction


class ReleaseStop(ReleaseAction):
    """Stop the release; returns when its command does, or its engine has."""

    name: ClassVar[str] = "release.stop"
    on: ClassVar[bool] = False
