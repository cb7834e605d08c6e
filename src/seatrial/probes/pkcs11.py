"""Ask an HSM for a signature of something it has never seen, and verify it."""

from __future__ import annotations

from seatrial.drivers import pkcs11
from seatrial.model.probe import ProbeSpec
from seatrial.model.role import Role


def ask(probe: ProbeSpec, role: Role) -> str:
    """What is wrong; empty when the HSM signs."""
    wrong = pkcs11.wrong_with(role, probe.within.seconds)
    return f"{probe}: {wrong}" if wrong else ""
