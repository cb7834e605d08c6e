"""Which hosts may be touched: the names, addresses and networks that a target lists under `allow`.

A host as it is written says little of where a connection goes: a name may resolve to any address, 2130706434
and 0x7f.1 are addresses of this machine, and `::ffff:10.0.0.1` is 10.0.0.1. So there are two questions:

    allows(host)                          what the list says of a host as it is written
    admitted(host, addresses, resolve)    what it says of the addresses that a host has at this moment

The second one decides, and whoever asks it connects to one of the addresses that it returns and to no other.
An address is allowed when it lies in a listed network, or when a listed name resolves to it *now*: a name is
resolved again whenever it is needed, so a service that fails over by DNS stays within its allow list, and the
address that it has left drops out of it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str], Iterable[str]]  # a name → its addresses now; none when it has none

LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")

_NUMERIC = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)
_NOT_IN_A_NAME = re.compile(r"[\s/:@*,?#\[\]%${}]")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class AllowList:
    """An allow list. An entry that is neither name, address nor network allows nothing (`wrong_with`)."""

    entries: tuple[str, ...]  # as written
    names: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """From the texts of a target file."""
        entries = tuple(entries)
        networks = {entry: network for entry in entries if (network := _network_of(entry)) is not None}
        names = frozenset(canonical(entry) for entry in entries if entry not in networks and entry)
        return cls(entries, names, tuple(networks.values()))

    def __str__(self) -> str:
        return ", ".join(self.entries) or "nothing"

    def is_listed(self, host: str) -> bool:
        """Whether `host` is one of the listed names."""
        return canonical(host) in self.names

    def holds(self, address: str) -> bool:
        """Whether the address, in any form, lies in a listed network."""
        found = address_of(address)
        return found is not None and any(found in network for network in self.networks)

    def covers(self, network: Network) -> bool:
        """Whether every address of `network` lies in one and the same listed network."""
        return any(
            each.version == network.version and network.subnet_of(each)  # type: ignore[arg-type]
            for each in self.networks
        )

    def allows(self, host: str) -> bool:
        """Whether `host` is allowed as it is written: a listed name, or an address in a listed network."""
        return self.is_listed(host) or self.holds(host)

    def may_allow(self, host: str) -> bool:
        """The same, or it is a name that is not listed and may yet have an address that is allowed."""
        return self.allows(host) or (bool(host) and bool(self.entries) and address_of(host) is None)

    def admitted(self, host: str, addresses: Sequence[str], resolve: Resolve) -> list[str]:
        """Those of the addresses of `host` that may be connected to, in their order."""
        if self.is_listed(host):
            return list(addresses)
        held = [address for address in addresses if self.holds(address)]
        if len(held) == len(addresses) or not self.names:
            return held
        named = {address_of(each) for name in self.names for each in resolve(name)}
        return [address for address in addresses if address in held or address_of(address) in named]


def address_of(host: str) -> Address | None:
    """The address that `host` is written as; None for a name.

    Read as the system's resolver reads it: an IPv4 address may have one to four parts, each decimal, octal or
    hexadecimal (inet_aton(3)). An IPv4 address within IPv6 is the IPv4 address; a zone (%eth0) says through
    which interface, not to whom.
    """
    text = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    text = text.partition("%")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return _by_inet_aton(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _by_inet_aton(text: str) -> Address | None:
    if not _NUMERIC.fullmatch(text):
        return None  # inet_aton would overlook what follows a space
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def canonical(name: str) -> str:
    """A host name as it is compared: in lower case, in its ASCII form, without the final dot."""
    name = name.removesuffix(".").lower()
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name


def wrong_with(entry: str) -> str:
    """Why `entry` cannot stand in an allow list; empty when it can."""
    if _network_of(entry) is not None:
        return ""
    if not entry or _NOT_IN_A_NAME.search(entry):
        return f"'{entry}' is no host name, address or network; write it like shop.internal or 10.0.0.0/8"
    return ""


def _network_of(entry: str) -> Network | None:
    address = address_of(entry)
    if address is not None:
        return ipaddress.ip_network(address)
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ipaddress.ip_network(f"{mapped}/{network.prefixlen - _MAPPED.prefixlen}")
    return network
