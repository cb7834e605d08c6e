"""Let an HSM hang: the server in front of it and the processes of its connections are stopped (SIGSTOP).

    {at: 10s, fault: hsm.hang, on: hsm, for: 20s}

A PKCS#11 call has no deadline of its own: whoever signs now waits for ever, unless a deadline was built
around the call. New connections are accepted by the kernel and hang as well.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers import pkcs11
from seatrial.faults.process_pause import ProcessPause
from seatrial.model.role import Role


class HsmHang(ProcessPause):
    """Stops the processes in front of the HSM."""

    name: ClassVar[str] = "hsm.hang"
    drivers: ClassVar[frozenset[str]] = pkcs11.DRIVERS

    def healthy(self, role: Role) -> bool:
        return super().healthy(role) and pkcs11.signs(role)
