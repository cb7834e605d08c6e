"""Connections to a PostgreSQL server.

libpq connects in C, where nobody can look on. So each host is resolved here, before each connection, and
libpq is given the allowed addresses as `hostaddr`; the name stays, for certificates and password files. What
the environment says of hosts and services (PGHOST, PGHOSTADDR, PGSERVICE) is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from seatrial.drivers import reach
from seatrial.drivers.postgres import PostgresBinding
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

_CONNECT_WITHIN_S = 2
_PLACE = ("host", "hostaddr", "port")


def connect(role: Role, purpose: str) -> psycopg.Connection:
    """A connection in autocommit mode, whose application name says what it is for.

    Raises BadInput for a host that is not allowed, Unavailable when there is no connection.
    """
    parameters = parameters_of(role.allow_list, role.name, role.bound_to(PostgresBinding).url)
    parameters |= {"connect_timeout": _CONNECT_WITHIN_S, "application_name": f"seatrial {purpose}"}
    try:
        return psycopg.connect(**parameters, autocommit=True)
    except psycopg.Error as error:
        raise Unavailable(f"{role.name}: {error}") from error


def parameters_of(allow: AllowList, who: str, url: str) -> dict[str, Any]:
    """libpq's parameters for `url`, to be used at once: they hold the addresses of this moment.

    Raises BadInput for a host that is not allowed, Unavailable when no host has an address.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise BadInput(f"{who}: url: is not the address of a PostgreSQL server") from error
    return pinned(allow, who, given)


def pinned(allow: AllowList, who: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """libpq's parameters with every host's allowed addresses; a Unix socket stays on this machine.

    Raises as `parameters_of` does.
    """
    if given.get("service"):
        raise BadInput(f"{who}: url: a service file may lead anywhere; write the host into the url")
    hosts, addresses, ports = (_listed(given.get(key)) for key in ("host", "hostaddr", "port"))
    places: list[tuple[str, str, str]] = []
    silent: Unavailable | None = None
    for index, (host, address) in enumerate(zip_longest(hosts, addresses, fillvalue="")):
        port = ports[index] if index < len(ports) else ports[-1]
        if not address and (not host or host.startswith(("/", "@"))):
            places.append((host, "", port))
            continue
        try:
            places += [(host, each, port) for each in reach.admitted(allow, address or host, who)]
        except Unavailable as error:
            silent = error
    if not places and silent is not None:
        raise silent
    columns = zip(*places, strict=True)
    return {**given, **{key: ",".join(column) for key, column in zip(_PLACE, columns, strict=True)}}


def _listed(value: object) -> list[str]:
    return str(value or "").split(",")


def holding_place(role: Role) -> list[str]:
    """What the companion that holds a connection is told of the role: where it may connect, and to what."""
    return [",".join(role.allow), role.as_written(PostgresBinding).url]


def holder_name(token: str) -> str:
    """What the connections of a fault's companion are called, in `pg_stat_activity` and by us."""
    return f"seatrial holding {token}"


def held_by(role: Role, token: str) -> int:
    """How many connections of a fault's companion the server has; it notices its death in its own time."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    with connect(role, "probe") as connection:
        row = connection.execute(query, [holder_name(token)]).fetchone()
    return int(row[0]) if row else 0


def answers(role: Role) -> bool:
    """Whether it lets one more in, and answers."""
    with connect(role, "probe") as connection:
        connection.execute("SELECT 1")
    return True
