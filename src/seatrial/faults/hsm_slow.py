"""Let an HSM sign slowly: the server in front of it and the processes of its connections run on and off.

    {at: 10s, fault: hsm.slow, on: hsm, for: 20s, with: {to: 20%}}

An answer waits for up to the stopped part of a period. Connections that are opened meanwhile wait for the
slowed server, and are then served at full speed (see process.slow): what is slowed is whoever was connected
before, as signers that stay connected are.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers import pkcs11
from seatrial.faults.process_slow import ProcessSlow
from seatrial.model.role import Role


class HsmSlow(ProcessSlow):
    """Slows the processes in front of the HSM."""

    name: ClassVar[str] = "hsm.slow"
    drivers: ClassVar[frozenset[str]] = pkcs11.DRIVERS

    def healthy(self, role: Role) -> bool:
        return super().healthy(role) and pkcs11.signs(role)
