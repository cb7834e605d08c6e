"""Where a calibration was made and with what: it speaks for no other machine, and for no other version.

The names are those by which a run describes itself in its evidence, so that a report can hold both together.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform

_PARTS = ("seatrial", "locust", "gevent")  # what sends, and what measures


def machine() -> dict[str, str]:
    """What decides how faithfully load is sent."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processors": str(os.cpu_count()),
        "architecture": platform.machine(),
    }


def versions() -> dict[str, str]:
    """The parts that take part in a measurement."""
    return {part: importlib.metadata.version(part) for part in _PARTS} | {"python": platform.python_version()}
