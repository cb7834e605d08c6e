"""Where state lives that must be found from anywhere after a crash: fault journal, run database, keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path

from seatrial.model.problems import BadInput


def seatrial_home(environment: Mapping[str, str] = os.environ) -> Path:
    """`$SEATRIAL_HOME`, else the user's state directory. Absolute; it need not exist.

    Raises BadInput when a file is there.
    """
    chosen = environment.get("SEATRIAL_HOME")
    place = (Path(chosen).expanduser() if chosen else user_state_path("seatrial")).absolute()
    if place.is_file():
        raise BadInput(f"SEATRIAL_HOME: {place} is a file; name a directory")
    return place
