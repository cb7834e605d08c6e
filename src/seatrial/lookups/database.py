"""Connections to a target's database, from the address in a role."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput


def engine_of(role: Role, address: str, patience_s: float) -> sa.Engine:
    """An engine for `address` (with `${NAME}` references), which must be allowed. Raises BadInput.

    `patience_s`: how long a connection may take, where the driver can be told.
    """
    try:
        url = make_url(str(role.resolved(address)))
    except sa.exc.ArgumentError as error:
        raise BadInput(f"roles.{role.name}.url: is not a database's address") from error
    if url.host:
        role.require_allowed(url.host)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    options = {"connect_timeout": max(1, round(patience_s))} if "psycopg" in url.drivername else {}
    return sa.create_engine(url, poolclass=NullPool, connect_args=options)


def reason_of(error: sa.exc.SQLAlchemyError) -> str:
    """What the database said, in one line and without the statement and its values."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
