"""What a generator's process is told in secret by the one that started it, and what it makes of that.

The variables are taken out of the environment before the scenario is imported, so programs that the scenario
runs do not inherit them. Everything that is printed from then on, by Locust and by the scenario, is shown
without the values; so are the texts of rows (`seatrial.load.recorder`).
"""

from __future__ import annotations

import os
import sys
from typing import TextIO, cast

from seatrial.model.secrets import ScreenedStream, imported, shown

HOST = "SEATRIAL_LOAD_HOST"  # the address to send to, resolved
SECRETS = "SEATRIAL_LOAD_SECRETS"  # what `seatrial.model.secrets.exported` gave


def take_secrets() -> str:
    """Learn them, and screen what this process prints; the address to send to, "" if none was told."""
    secrets = os.environ.pop(SECRETS, "")
    if secrets:
        imported(secrets)
        sys.stdout = cast("TextIO", ScreenedStream(sys.stdout, shown))
        sys.stderr = cast("TextIO", ScreenedStream(sys.stderr, shown))
    return os.environ.pop(HOST, "")
