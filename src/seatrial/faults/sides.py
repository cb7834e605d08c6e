"""The sides of a role of the driver `network`, and which packets pass between two of them.

    {driver: network, namespace: router, sides: {east: [10.1.0.0/24], west: [10.2.0.0/24]}}

The namespace is one of `ip netns add`, or, left out, this machine's own.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, nearest
from seatrial.model.strict import as_tuple

Between = Annotated[tuple[str, str], BeforeValidator(as_tuple)]
Ways = Literal["both", "forward"]
Family = Literal["ip", "ip6"]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NetworkBinding(BaseModel):
    """Which namespace, and which addresses are on which side."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    namespace: str = ""
    sides: dict[str, tuple[str, ...]]

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


def passing(role: Role, between: tuple[str, str], ways: Ways) -> list[tuple[Family, str]]:
    """What nft matches packets between two sides by: one match an address family and way.

    Raises BadInput for a side that the role does not have, or whose addresses may not be touched.
    """
    one, other = (_networks(role, side) for side in between)
    pairs = [(one, other)] + ([(other, one)] if ways == "both" else [])
    matches = [match for senders, receivers in pairs for match in _matches(senders, receivers)]
    if not matches:
        raise BadInput(f"with.between: {' and '.join(between)} have no addresses of one family")
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
        raise BadInput(f"with.between: {role.name} has no side '{side}'{nearest(side, sides)}")
    try:
        networks = [ipaddress.ip_network(each) for each in sides[side]]
    except ValueError as error:
        raise BadInput(f"roles.{role.name}.sides.{side}: {error}") from error
    for network in networks:
        if not role.allow_list.covers(network):
            raise BadInput(
                f"{role.name}: the side {side} has {network}, which is not wholly in the target's allow "
                "list; nothing was done"
            )
    return networks
