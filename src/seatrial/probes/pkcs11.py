"""Ask an HSM for a signature of something it has never seen, and verify it."""

from __future__ import annotations

from seatrial.faults import hsm
from seatrial.faults.protocol import Role
from seatrial.model.probe import ProbeSpec


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when the HSM signs."""
    wrong = hsm.wrong_with(role, probe.within.seconds)
    return f"{probe}: {wrong}" if wrong else ""
