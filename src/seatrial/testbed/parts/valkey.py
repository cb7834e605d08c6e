"""The cache: Valkey, in memory only, with a bound on it so that eviction can be provoked."""

from __future__ import annotations

from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Region


def cache(region: Region, programs: Programs, secrets: Secrets) -> Part:
    """The cache of one region."""
    probe = Probe(region.cache, f"AUTH {secrets.cache}\r\nPING\r\n".encode(), b"+PONG")
    files = {"valkey.conf": config(region, secrets)}
    return Part(f"{region.name}.cache", (str(programs.valkey), "valkey.conf"), probe, files)


def config(region: Region, secrets: Secrets) -> str:
    """valkey.conf."""
    return f"""\
bind {region.cache.host}
port {region.cache.port}
protected-mode yes
requirepass {secrets.cache}
daemonize no
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
"""
