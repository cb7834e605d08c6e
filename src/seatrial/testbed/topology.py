"""The testbed on paper: which process listens where. Pure; everything else is rendered from it.

                    load
                     │
                   edge                         HAProxy: blue or green by map, a region by health checks
         ┌───────────┴───────────┐
       east                    west             the edge sends requests west when east is down
  ┌──────┴──────┐         ┌──────┴──────┐
blue          green     blue          green     the two releases of the app
  ├── cache     │         ├── cache     │       Valkey
  └── db-proxy ─┘         └── db-proxy ─┘       HAProxy follows Patroni's /primary, in either region
         db-1 ═══════════════════ db-2          PostgreSQL, synchronous standby
      replica ─ ─ ─ ─ ─ ─ ─ ─ ─ replica         both are written to; clients come to them past the edge
                   witness                      the third voter of Patroni's raft, beside the edge
                     hsm                        SoftHSM2 by p11-kit, on a Unix socket: never cut off
           prometheus ═══ alertmanager          beside the edge: they see either region, as operators do
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from seatrial.testbed.network import Network

LOOPBACK = "127.0.0.1"
RELEASES = ("blue", "green")
EDGE = "edge"
REGIONS = ("east", "west")
PLACES = (EDGE, *REGIONS)
# In namespaces every server has its customary port; on loopback they are drawn.
_PORTS = {
    "edge": 8080,
    "statistics": 8404,
    "blue": 8001,
    "green": 8002,
    "cache": 6379,
    "database": 6432,
    "postgres": 5432,
    "rest": 8008,
    "raft": 2380,
    "replica": 9101,
    "prometheus": 9090,
    "alertmanager": 9093,
}


class Endpoint(NamedTuple):
    """A TCP address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Region:
    """What runs once in every region. Parts are called `east.blue`, `east.cache` …"""

    name: str
    blue: Endpoint
    green: Endpoint
    cache: Endpoint
    database: Endpoint  # the db-proxy: always leads to the primary
    replica: Endpoint

    def release(self, name: str) -> Endpoint:
        """Where `blue` or `green` listens."""
        return {"blue": self.blue, "green": self.green}[name]


@dataclass(frozen=True, slots=True)
class Member:
    """A PostgreSQL server with its Patroni."""

    name: str
    region: str
    postgres: Endpoint
    rest: Endpoint
    raft: Endpoint


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole testbed. `identity` tells this one from any other, now or earlier.

    The witness has the least raft address, as text, and the members' ascend (see `parts/postgres.py`).
    """

    identity: str
    edge: Endpoint
    statistics: Endpoint
    regions: tuple[Region, ...]
    members: tuple[Member, ...]
    witness: Endpoint
    prometheus: Endpoint
    alertmanager: Endpoint
    network: Network | None = None  # None: everything is on loopback
    tenants: int = 4  # of the shop

    @property
    def base_url(self) -> str:
        """Where load goes."""
        return f"http://{self.edge}"

    def raft(self) -> tuple[Endpoint, ...]:
        """All voters."""
        return (self.witness, *(member.raft for member in self.members))

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Topology:
        """The inverse of `dataclasses.asdict` after a journey through JSON, where endpoints are lists."""

        def revived(value: dict[str, Any]) -> dict[str, Any]:
            return {name: Endpoint(*item) if isinstance(item, list) else item for name, item in value.items()}

        nested = ("regions", "members", "network")
        network = data["network"]
        return cls(
            **revived({name: value for name, value in data.items() if name not in nested}),
            regions=tuple(Region(**revived(region)) for region in data["regions"]),
            members=tuple(Member(**revived(member)) for member in data["members"]),
            network=Network(network["tag"], network["block"], tuple(network["places"])) if network else None,
        )

    def enter(self, address: str) -> tuple[str, ...]:
        """What a command is prefixed with to run where `address` is."""
        return self.network.enter(address) if self.network else ()


def loopback(identity: str, ports: Iterator[int]) -> Topology:
    """Everything on the loopback interface. `ports` yields free ports."""
    raft = iter(sorted((next(ports) for _ in range(1 + len(REGIONS))), key=str))
    return _laid_out(
        identity, lambda _, purpose: Endpoint(LOOPBACK, next(raft if purpose == "raft" else ports))
    )


def separated(identity: str, network: Network) -> Topology:
    """Every region, and the edge with the witness, in a namespace of its own."""
    return _laid_out(
        identity, lambda place, purpose: Endpoint(network.address(place), _PORTS[purpose]), network
    )


def _laid_out(identity: str, at: Callable[[str, str], Endpoint], network: Network | None = None) -> Topology:
    """`at(place, purpose)` is where something listens; for `raft` it is asked in the order of the voters."""
    return Topology(
        identity=identity,
        edge=at(EDGE, "edge"),
        statistics=at(EDGE, "statistics"),
        regions=tuple(
            Region(
                name,
                at(name, "blue"),
                at(name, "green"),
                cache=at(name, "cache"),
                database=at(name, "database"),
                replica=at(name, "replica"),
            )
            for name in REGIONS
        ),
        witness=at(EDGE, "raft"),
        prometheus=at(EDGE, "prometheus"),
        alertmanager=at(EDGE, "alertmanager"),
        members=tuple(
            Member(f"db-{number}", region, at(region, "postgres"), at(region, "rest"), at(region, "raft"))
            for number, region in enumerate(REGIONS, start=1)
        ),
        network=network,
    )
