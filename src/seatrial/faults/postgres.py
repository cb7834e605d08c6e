"""A connection to a PostgreSQL server, bound as `drivers.postgres` says."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg

from seatrial.drivers.postgres import PostgresBinding
from seatrial.faults.protocol import Role, Undo
from seatrial.model.problems import Unavailable

_CONNECT_WITHIN_S = 2


def connect(role: Role, purpose: str) -> psycopg.Connection:
    """A connection in autocommit mode, whose application name says what it is for.

    Raises BadInput for a host that is not allowed, Unavailable when there is no connection.
    """
    url = role.bound_to(PostgresBinding).url
    role.require_allowed(urlsplit(url).hostname or "")
    try:
        return psycopg.connect(
            url, connect_timeout=_CONNECT_WITHIN_S, autocommit=True, application_name=f"seatrial {purpose}"
        )
    except psycopg.OperationalError as error:
        raise Unavailable(f"{role.name}: {error}") from error


def holder_name(token: str) -> str:
    """What the connections of a fault's companion are called, in `pg_stat_activity` and by us."""
    return f"seatrial holding {token}"


def held_by(undo: Undo) -> int:
    """How many connections of a fault's companion the server has; it notices its death in its own time."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    with connect(undo.role, "probe") as connection:
        row = connection.execute(query, [holder_name(undo.token)]).fetchone()
    return int(row[0]) if row else 0


def answers(role: Role) -> bool:
    """Whether it lets one more in, and answers."""
    with connect(role, "probe") as connection:
        connection.execute("SELECT 1")
    return True
