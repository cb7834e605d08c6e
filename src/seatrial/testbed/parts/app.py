"""The two releases of the app: the same program twice, told apart by RELEASE."""

from __future__ import annotations

from seatrial.testbed.app.settings import Settings
from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Region, Topology


def release(name: str, region: Region, topology: Topology, programs: Programs, secrets: Secrets) -> Part:
    """`blue` or `green` in one region."""
    own = region.release(name)
    settings = Settings(
        host=own.host,
        port=own.port,
        database_host=region.database.host,
        database_port=region.database.port,
        database_password=secrets.tenant,
        cache_host=region.cache.host,
        cache_port=region.cache.port,
        cache_password=secrets.cache,
    )
    return Part(
        f"{region.name}.{name}",
        (str(programs.python), "-P", "-m", "seatrial.testbed.app"),
        Probe.http(own, "/healthz"),
        {"settings.json": settings.to_json()},
        {"RELEASE": name, "REGION": region.name},
        needs=(Probe(region.cache), Probe(region.database), Probe.http(topology.members[0].rest, "/primary")),
    )
