"""A flag: a file that is there or is not.

{driver: flag, file: run/maintenance.flag}
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding
from seatrial.model.role import Role


class FlagBinding(Binding):
    """A flag, which services look at."""

    driver: ClassVar[str] = "flag"

    file: str = Field(examples=["run/maintenance.flag"])
    """The file; a path from the target's file."""


def flag_of(role: Role) -> Path:
    """The file of a role."""
    return role.path(role.bound_to(FlagBinding).file)
