"""Where a driver may connect to: the addresses that a host has now, and those of them that are allowed.

Resolving and connecting are one step for whoever uses this. A driver that handed the name on to its library
would have it resolved again, perhaps to another address than the one that was judged.
"""

from __future__ import annotations

import socket

from seatrial.model.allow import AllowList, address_of
from seatrial.model.problems import BadInput, Unresolved


def addresses_of(host: str) -> list[str]:
    """The addresses of `host`, in the order in which the system would try them; none when it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def admitted(allow: AllowList, host: str, who: str) -> list[str]:
    """The addresses of `host` that may be connected to, at least one; `who` is named in errors.

    Raises BadInput when it has addresses and none is allowed, Unresolved when it has none at all.
    """
    found = addresses_of(host) if host else []
    chosen = allow.admitted(host, found, addresses_of)
    if chosen:
        return chosen
    if found or not allow.may_allow(host):
        raise not_allowed(host, found, who)
    raise Unresolved(f"{who}: the host {host} has no address: its name cannot be resolved now")


def allows(allow: AllowList, host: str) -> bool:
    """Whether `host` is allowed as it is written, or has an address now that is."""
    if allow.allows(host) or not allow.may_allow(host):
        return allow.allows(host)
    return bool(allow.admitted(host, addresses_of(host), addresses_of))


def require_allowed(allow: AllowList, host: str, who: str) -> None:
    """Raise BadInput unless `allows`."""
    if not allows(allow, host):
        raise not_allowed(host, [], who)


def not_allowed(host: str, addresses: list[str], who: str) -> BadInput:
    """The error for a host that may not be touched."""
    other = [address for address in addresses if address_of(host) is None]
    shown = f"{host} ({', '.join(other)})" if other else host
    return BadInput(f"{who}: the host {shown} is not in the target's allow list; nothing was done")
