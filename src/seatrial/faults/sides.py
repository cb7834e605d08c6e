"""The sides of a role of the driver `network`, and which packets pass between two of them.

How a target binds such a role is told in `drivers.network`.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import BeforeValidator

from seatrial.drivers.network import Family, NetworkBinding
from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, Problem, nearest
from seatrial.model.strict import as_tuple

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
