"""The sides of a network, in the namespace that routes between them.

    {driver: network, namespace: router, sides: {east: [10.1.0.0/24], west: [10.2.0.0/24]}}

The namespace is one of `ip netns add`, or, left out, this machine's own.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from seatrial.drivers.binding import Binding, Files

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
    """Which namespace, and which addresses are on which side."""

    driver: ClassVar[str] = "network"

    namespace: Annotated[str, AfterValidator(_nameable)] = ""
    sides: dict[str, Annotated[Files, AfterValidator(_of_networks)]]

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
