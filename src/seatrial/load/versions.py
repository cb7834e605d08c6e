"""What must be the same at a master and its workers: another program might count arrivals otherwise."""

from __future__ import annotations

from importlib.metadata import version

import seatrial


def versions() -> str:
    """Of this process, as people read it."""
    return f"seatrial {seatrial.__version__}, Locust {version('locust')}"
