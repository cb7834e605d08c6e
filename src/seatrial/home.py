"""Where state lives that must be found from anywhere after a crash: fault journal, run database, keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_state_path


def seatrial_home(environment: Mapping[str, str] = os.environ) -> Path:
    """`$SEATRIAL_HOME`, else the user's state directory. Absolute; it need not exist."""
    chosen = environment.get("SEATRIAL_HOME")
    return (Path(chosen).expanduser() if chosen else user_state_path("seatrial")).absolute()
