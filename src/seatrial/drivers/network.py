"""A network: its sides, the namespace that routes between them, and which packets pass from side to side.

    {driver: network, namespace: router, sides: {east: [10.1.0.0/24], west: [10.2.0.0/24]}}

The namespace is one of `ip netns add`, or, left out, this machine's own.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from seatrial.drivers.binding import Binding, Files
from seatrial.model.problems import BadInput, Problem, nearest
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple

Family = Literal["ip", "ip6"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}", re.ASCII)


def _nameable(namespace: str) -> str:
    if namespace and not namespace.startswith("${") and not _NAME.fullmatch(namespace):
        raise ValueError(f"'{namespace}' is no name of a network namespace")
    return namespace


def _of_networks(side: tuple[str, ...]) -> tuple[str, ...]:
    for network in side:
        if not network.startswith("${"):
            ipaddress.ip_network(network)  # whose ValueError says what is wrong
    return side


class NetworkBinding(Binding):
    """A network: its sides, and the namespace that routes between them."""

    driver: ClassVar[str] = "network"

    namespace: Annotated[str, AfterValidator(_nameable)] = Field(default="", examples=["router"])
    """The namespace, as `ip netns` names it; left out, this machine's own."""
    sides: dict[str, Annotated[Files, AfterValidator(_of_networks)]] = Field(
        examples=[{"east": ["10.1.0.0/24"], "west": ["10.2.0.0/24"]}]
    )
    """Which addresses are on which side, by names of your own."""

    @property
    def families(self) -> set[Family]:
        """The address families of the sides."""
        return {"ip6" if ":" in network else "ip" for side in self.sides.values() for network in side}

    @property
    def where(self) -> str:
        """The place, for people."""
        return f"in the namespace {self.namespace}" if self.namespace else "on this machine"

    @property
    def by_hand(self) -> str:
        """What a person puts before a command that is to run there."""
        return f"ip netns exec {self.namespace} " if self.namespace else ""


Between = Annotated[tuple[str, str], BeforeValidator(as_tuple)]
Ways = Literal["both", "forward"]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def passing(role: Role, between: tuple[str, str], ways: Ways) -> list[tuple[Family, str]]:
    """What nft matches packets between two sides by: one match an address family and way.

    Raises BadInput for a side that the role does not have, or whose addresses may not be touched.
    """
    one, other = (_networks(role, side) for side in between)
    pairs = [(one, other)] + ([(other, one)] if ways == "both" else [])
    matches = [match for senders, receivers in pairs for match in _matches(senders, receivers)]
    if not matches:
        told = f"{' and '.join(between)} have no addresses of one family"
        raise BadInput(Problem(told, path=("with", "between")))
    return matches


def arrow(between: tuple[str, str], ways: Ways) -> str:
    """The two sides and the way, for people."""
    return f"{between[0]} {'⇹' if ways == 'both' else '→'} {between[1]}"


def _matches(senders: list[_Network], receivers: list[_Network]) -> list[tuple[Family, str]]:
    families: tuple[tuple[int, Family], ...] = ((4, "ip"), (6, "ip6"))
    matches = []
    for version, family in families:
        sources = ", ".join(str(each) for each in senders if each.version == version)
        targets = ", ".join(str(each) for each in receivers if each.version == version)
        if sources and targets:
            matches.append((family, f"{family} saddr {{ {sources} }} {family} daddr {{ {targets} }}"))
    return matches


def _networks(role: Role, side: str) -> list[_Network]:
    sides = role.bound_to(NetworkBinding).sides
    if side not in sides:
        told = f"{role.name} has no side '{side}'{nearest(side, sides)}"
        raise BadInput(Problem(told, path=("with", "between")))
    networks = [ipaddress.ip_network(each) for each in sides[side]]
    for network in networks:
        if not role.allow_list.covers(network):
            told = f"{network} is not wholly in the target's allow list; nothing was done"
            raise BadInput(role.problem(("sides", side), told))
    return networks
