"""Start a release.

    {at: 20s, action: release.start, on: release.blue}

A start command that returns before the release can serve is itself worth measuring, so nothing is waited for.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.release import ReleaseAction


class ReleaseStart(ReleaseAction):
    """Start the release; returns when its command does, or its engine has."""

    name: ClassVar[str] = "release.start"
    on: ClassVar[bool] = True
