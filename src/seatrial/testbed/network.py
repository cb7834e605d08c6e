"""A network of its own for the testbed: a namespace for each region and for the edge, joined by a router.

      load ── 10.N.255.0/30 ── router ──┬── 10.N.0.0/24 ── edge    (the edge's HAProxy, the raft witness)
                                        ├── 10.N.1.0/24 ── east
                                        └── 10.N.2.0/24 ── west

What crosses from one place to another crosses the router, so a partition is a rule there, and nobody else's
traffic can be hit by it. Addresses are drawn from a part of 10.0.0.0/8 to which this machine has no route.
Names carry the testbed's tag, so that what a crash leaves is found again, and nothing else is.
"""

from __future__ import annotations

import ipaddress
import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import Unavailable

_NAMED = Path("/run/netns")
_LINKS = Path("/sys/class/net")
_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    # TCP doubles the wait between its retransmissions up to two minutes: a healed partition would stay one.
    # The kernel has this bound since 6.15; without it healing takes longer.
    "net/ipv4/tcp_rto_max_ms": "1000",
}


@dataclass(frozen=True, slots=True)
class Network:
    """The namespaces on paper. `block`: the second octet of all addresses."""

    tag: str
    block: int
    places: tuple[str, ...]  # the edge first: its address is the least one

    @property
    def router(self) -> str:
        """The router's namespace."""
        return f"{prefix(self.tag)}router"

    @property
    def everything(self) -> str:
        """All addresses."""
        return f"10.{self.block}.0.0/16"

    @property
    def outside(self) -> str:
        """This machine's own address on its link to the router: whence load and operators come."""
        return f"10.{self.block}.255.1"

    def namespace(self, place: str) -> str:
        """The namespace of a place."""
        return f"{prefix(self.tag)}{place}"

    def subnet(self, place: str) -> str:
        """The addresses of a place, as a partition names them."""
        return f"10.{self.block}.{self.places.index(place)}.0/24"

    def address(self, place: str) -> str:
        """Where the servers of a place listen."""
        return f"10.{self.block}.{self.places.index(place)}.2"

    def enter(self, address: str) -> tuple[str, ...]:
        """What a command is prefixed with to run where `address` is."""
        place = next(place for place in self.places if self.address(place) == address)
        return ("nsenter", f"--net={_NAMED / self.namespace(place)}", "--")


def prefix(tag: str) -> str:
    """How the names of a testbed's namespaces begin."""
    return f"seatrial-{tag}-"


def _uplink(tag: str) -> str:
    """This machine's link to the router; the kernel allows 15 characters."""
    return f"st-{tag}"


def why_not() -> str:
    """Why this machine cannot have namespaces; empty when it can."""
    if os.geteuid() != 0:
        return "needs root (CAP_NET_ADMIN)"
    for program in ("ip", "nsenter", "unshare"):
        if shutil.which(program) is None:
            return f"needs the program {program} (packages iproute2, util-linux)"
    tried = subprocess.run(
        ("unshare", "--net", "true"), capture_output=True, text=True, check=False, start_new_session=True
    )
    if tried.returncode != 0:
        return tried.stderr.strip()
    if free_block(routes(), random.Random()) is None:
        return "all of 10.0.0.0/8 is routed elsewhere here"
    return ""


def free_block(routes: str, chance: random.Random) -> int | None:
    """A second octet N for which `routes`, the output of `ip -4 route`, leads nowhere into 10.N.0.0/16.

    None when there is none, as on a machine whose private network is all of 10.0.0.0/8.
    """
    known = [
        ipaddress.ip_network(destination, strict=False)
        for line in routes.splitlines()
        for destination in line.split()[:2]
        if destination[:1].isdigit()
    ]
    for block in chance.sample(range(1, 256), 255):
        if not any(ipaddress.ip_network(f"10.{block}.0.0/16").overlaps(other) for other in known):
            return block
    return None


def routes() -> str:
    """All IPv4 routes of this machine."""
    return _run(("ip", "-4", "route", "show", "table", "all"))


def creation(network: Network) -> list[str]:
    """Lines for `ip -batch` that build the network."""
    router, host = network.router, _uplink(network.tag)
    upstream = f"10.{network.block}.255"
    lines = [
        f"netns add {router}",
        f"-n {router} link set lo up",
        f"link add {host} type veth peer name host netns {router}",
        f"addr add {network.outside}/30 dev {host}",
        f"link set {host} up",
        f"-n {router} addr add {upstream}.2/30 dev host",
        f"-n {router} link set host up",
        f"route add {network.everything} via {upstream}.2",
    ]
    for place in network.places:
        name, gateway = network.namespace(place), network.address(place).removesuffix("2") + "1"
        lines += [
            f"netns add {name}",
            f"-n {name} link set lo up",
            f"-n {router} link add {place} type veth peer name uplink netns {name}",
            f"-n {router} addr add {gateway}/24 dev {place}",
            f"-n {router} link set {place} up",
            f"-n {name} addr add {network.address(place)}/24 dev uplink",
            f"-n {name} link set uplink up",
            f"-n {name} route add default via {gateway}",
        ]
    return lines


def create(network: Network) -> None:
    """Build it. Raises Unavailable with what `ip` says."""
    for line in creation(network):
        _run(("ip", *line.split()))
    for name in (network.router, *(network.namespace(place) for place in network.places)):
        for setting, value in _SETTINGS.items():
            write = f"[ ! -e /proc/sys/{setting} ] || echo {value} > /proc/sys/{setting}"
            _run(("nsenter", f"--net={_NAMED / name}", "--", "sh", "-c", write))


def remove(tag: str) -> int:
    """Remove every namespace with this tag, and the links between them; how many there were.

    This machine's end of the link goes first, and the route with it: the kernel takes its time with
    namespaces.
    """
    found = left(tag)
    if (_LINKS / _uplink(tag)).exists():
        _run(("ip", "link", "delete", _uplink(tag)))
    for name in found:
        _run(("ip", "netns", "delete", name))
    return len(found)


def left(tag: str) -> list[str]:
    """Names of the namespaces with this tag."""
    return sorted(path.name for path in _NAMED.glob(f"{prefix(tag)}*"))


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    if done.returncode != 0:
        raise Unavailable(f"testbed: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
