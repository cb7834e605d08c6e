"""How long a check takes here: everything, nothing, and ten files that are not known.

The ten are taken out of a memory of their own, made for the measurement: reading, parsing and evaluating them
costs what ten changed files cost, and nobody's files are touched.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from seatrial.policy.checking import Request, check
from seatrial.policy.listing import inputs
from seatrial.policy.memory import Memory
from seatrial.policy.outcome import Report

_FORGOTTEN = 10


def measure(request: Request) -> list[tuple[str, Report]]:
    """What was done, and how it came out. Raises as `check`."""
    with tempfile.TemporaryDirectory(prefix="seatrial-policy-") as place:
        memory = Path(place, "policy.sqlite")
        asked = replace(request, memory=memory, anew=False)
        paths = inputs(request.paths, ignored=request.ignored, leaving_out=request.leaving_out)
        found = [("everything, nothing known", check(asked)), ("nothing changed", check(asked))]
        step = max(len(paths) // _FORGOTTEN, 1)
        forgotten = paths[::step][:_FORGOTTEN]
        Memory(memory).forget(forgotten)
        found.append((f"{len(forgotten)} files forgotten", check(asked)))
        return found
