from __future__ import annotations

from seatrial.testbed.parts import valkey
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Topology


def test_the_cache_is_bounded_forgetful_and_locked(
    topology: Topology, programs: Programs, secrets: Secrets
) -> None:
    part = valkey.cache(topology.regions[0], programs, secrets)
    lines = part.files["valkey.conf"].splitlines()
    assert part.name == "east.cache"
    assert "requirepass pw-cache" in lines
    assert "maxmemory-policy allkeys-lru" in lines
    assert 'save ""' in lines
    assert f"port {topology.regions[0].cache.port}" in lines
