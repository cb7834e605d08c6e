"""Ask an HSM for a signature of something it has never seen, and verify it.

    {pkcs11: sign, on: hsm}

The role is one of the driver pkcs11.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers import pkcs11
from seatrial.drivers.pkcs11 import Pkcs11Binding
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.probes.protocol import ProbeKind


class Pkcs11Probe(ProbeKind):
    """A signature of something that the HSM has never seen, verified."""

    name: ClassVar[str] = "pkcs11"

    def fit(self, probe: ProbeSpec, role: Role) -> None:  # noqa: ARG002  # the same for any question
        """Only an HSM can."""
        if role.driver != Pkcs11Binding.driver:
            raise BadInput(f"a probe by pkcs11 asks an HSM; the role '{role.name}' is bound to {role.driver}")

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when the HSM signs."""
        wrong = pkcs11.wrong_with(role, probe.within.seconds)
        return f"{probe}: {wrong}" if wrong else ""
