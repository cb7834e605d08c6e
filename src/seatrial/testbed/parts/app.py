"""The two releases of the app: the same program twice, told apart by RELEASE."""

from __future__ import annotations

import os

from seatrial.model.problems import BadInput
from seatrial.testbed.app.audit.settings import MODES, AuditSettings, Hsm, Mode
from seatrial.testbed.app.settings import AppSettings
from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Region, Topology

_MODE = "SEATRIAL_TESTBED_AUDIT"


def release(
    name: str,
    region: Region,
    topology: Topology,
    programs: Programs,
    secrets: Secrets,
    hsm: Hsm | None = None,
) -> Part:
    """`blue` or `green` in one region. `hsm`: signs the audit log, a software key where there is none."""
    own = region.release(name)
    settings = AppSettings(
        host=own.host,
        port=own.port,
        database_host=region.database.host,
        database_port=region.database.port,
        database_password=secrets.tenant,
        cache_host=region.cache.host,
        cache_port=region.cache.port,
        cache_password=secrets.cache,
        tenants=topology.tenants,
        audit=AuditSettings(
            password=secrets.audit,
            mode=audit_mode(),
            hsm=hsm,
            seed=secrets.audit_seed,
        ),
    )
    return Part(
        f"{region.name}.{name}",
        (str(programs.python), "-P", "-m", "seatrial.testbed.app"),
        Probe.http(own, "/healthz"),
        {"settings.json": settings.to_json()},
        {"RELEASE": name, "REGION": region.name},
        needs=(Probe(region.cache), Probe(region.database), Probe.http(topology.members[0].rest, "/primary")),
    )


def audit_mode() -> Mode:
    """What the audit log does while nobody signs, from the environment of `up`. Raises BadInput."""
    given = os.environ.get(_MODE, MODES[0])
    for mode in MODES:
        if mode == given:
            return mode
    raise BadInput(f"{_MODE}: one of {', '.join(MODES)} is possible, not '{given}'")
