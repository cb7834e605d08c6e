"""Let an HSM sign slowly: the server in front of it and the processes of its connections run on and off.

Connections that are opened meanwhile wait for the slowed server, and are then served at full speed (see
`process_slow.py`): what is slowed is whoever was connected before, as signers that stay connected are.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers import pkcs11
from seatrial.faults.process_slow import ProcessSlow
from seatrial.model.role import Role


class HsmSlow(ProcessSlow):
    """`to` and `period` as for process.slow; an answer waits for up to the stopped part of a period."""

    name: ClassVar[str] = "hsm.slow"
    drivers: ClassVar[frozenset[str]] = pkcs11.DRIVERS

    def healthy(self, role: Role) -> bool:
        return super().healthy(role) and pkcs11.signs(role)
