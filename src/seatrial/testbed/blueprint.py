"""From places to a topology, and from a topology to its parts."""

from __future__ import annotations

import random
import secrets
from dataclasses import replace
from pathlib import Path

from seatrial.testbed import network, ports
from seatrial.testbed import topology as topologies
from seatrial.testbed.part import Part, Probe
from seatrial.testbed.parts import app, haproxy, hsm, monitoring, postgres, replica, valkey
from seatrial.testbed.places import Places
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import RELEASES, Topology


def layout(places: Places, *, flat: bool = False, tenants: int = 4) -> Topology:
    """The topology that `up` chooses: in namespaces where this machine allows them, unless `flat`."""
    return replace(_layout(places, flat), tenants=tenants)


def _layout(places: Places, flat: bool) -> Topology:
    identity, chance = secrets.token_hex(3), random.SystemRandom()
    block = None if flat or network.why_not() else network.free_block(network.routes(), chance)
    if block is None:
        return topologies.loopback(identity, ports.free(topologies.LOOPBACK, chance))
    return topologies.separated(identity, network.Network(places.tag, block, topologies.PLACES))


def parts(topology: Topology, places: Places, programs: Programs, credentials: Secrets) -> tuple[Part, ...]:
    """Every part, in an order in which each one's needs come before it, run in the place where it listens."""
    return tuple(_placed(part, topology) for part in _parts(topology, places, programs, credentials))


def _placed(part: Part, topology: Topology) -> Part:
    """Its command entering its place. A Unix socket is reached from everywhere, so that part is nowhere."""
    at = part.ready.endpoint
    return part if isinstance(at, Path) else replace(part, command=(*topology.enter(at.host), *part.command))


def _parts(topology: Topology, places: Places, programs: Programs, credentials: Secrets) -> tuple[Part, ...]:
    signing = hsm.client(programs, places, credentials)
    return (
        postgres.witness(topology, programs, credentials),
        *(
            postgres.member(member, topology, programs, credentials, places.part(member.name))
            for member in topology.members
        ),
        *((hsm.token(programs.hsm, programs, places, credentials),) if programs.hsm else ()),
        *(valkey.cache(region, programs, credentials) for region in topology.regions),
        *(haproxy.database_proxy(region, topology.members, programs) for region in topology.regions),
        *(
            app.release(release, region, topology, programs, credentials, signing)
            for region in topology.regions
            for release in RELEASES
        ),
        *(replica.of_region(region, topology, programs) for region in topology.regions),
        haproxy.edge(topology, programs, places.sockets),
        *monitoring.watchers(topology, programs),
    )


def gates(topology: Topology) -> dict[str, Probe]:
    """What must hold, beyond every part being ready, before the testbed is: by what people are told."""
    first = topology.members[0]
    return {
        "synchronous standby": Probe.http(first.rest, "/cluster", contains='"role": "sync_standby"'),
        "edge in service": Probe.http(topology.edge, "/readyz"),
    }
