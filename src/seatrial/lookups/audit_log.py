"""A target's audit log, once it is signed to its end or has had time to be: see `lookups.audit`."""

from __future__ import annotations

from typing import ClassVar

from seatrial.drivers.audit_log import AuditLogBinding
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.role import Role


class AuditLog(Recorder[bytes]):
    """What was told of the log as JSON; the log itself as a ledger, in a directory."""

    name: ClassVar[str] = "audit-log"
    drivers: ClassVar[tuple[str, ...]] = (AuditLogBinding.driver,)

    def record(self, role: Role, run: RunFacts) -> bytes:
        from seatrial.lookups import audit  # noqa: PLC0415  # when it is asked: its library is large

        self.fit(role)
        return audit.record(role, run.directory)

    def evidence(self, data: bytes) -> str:
        return data.decode()
