"""What every tenant's schema has come to after a run, and the record of the migration that took it there.

See `drivers.tenant_database` for where versions are read, and `drivers.migration_record` for the record. The
form of the recording is told in `seatrial.checks.tenants`.
"""

from __future__ import annotations

import json
from typing import ClassVar

from seatrial.drivers.migration_record import read_record, record_path
from seatrial.drivers.tenant_database import TenantDatabase
from seatrial.drivers.tenants import TenantsBinding
from seatrial.lookups.recorder import Recorder, RunFacts
from seatrial.model.role import Role


class TenantVersions(Recorder[bytes]):
    """The versions of all tenants, and what their last migration has put on record, as JSON."""

    name: ClassVar[str] = "tenant-versions"
    drivers: ClassVar[tuple[str, ...]] = (TenantsBinding.driver,)
    kept_as: ClassVar[str] = "recorded-versions"

    def record(self, role: Role, run: RunFacts) -> bytes:  # noqa: ARG002  # whoever wrote what
        self.fit(role)
        with TenantDatabase(role, "look-up") as database:
            states = database.states(database.discovered())
        tenants = {name: state.plain() for name, state in states.items()}
        return json.dumps({"tenants": tenants, "record": read_record(record_path(role))}).encode()

    def evidence(self, data: bytes) -> str:
        return data.decode()
