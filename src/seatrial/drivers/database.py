"""Connections to a target's database, from the address in a role.

The allow list is held anew for each connection: its host is resolved then, and a database that has moved in
a failover is followed. libpq is told which addresses it may use (see `drivers/libpq.py`). Another driver
would resolve the name once more by itself, so all of its addresses must be allowed.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from seatrial.drivers import reach
from seatrial.drivers.libpq import pinned
from seatrial.model.problems import BadInput
from seatrial.model.role import Role


def engine_of(role: Role, address: str, patience_s: float) -> sa.Engine:
    """An engine for `address` (with `${NAME}` references), whose connections go to allowed hosts only.

    `patience_s`: how long a connection may take, where the driver can be told. Raises BadInput; so does
    connecting, where the host is not allowed, and Unavailable where it has no address.
    """
    try:
        url = make_url(str(role.resolved(address)))
    except sa.exc.ArgumentError as error:
        raise BadInput(f"roles.{role.name}.url: is not a database's address") from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    by_libpq = "psycopg" in url.drivername
    options = {"connect_timeout": max(1, round(patience_s))} if by_libpq else {}
    try:
        engine = sa.create_engine(url, poolclass=NullPool, connect_args=options)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadInput(f"roles.{role.name}.url: there is no driver for {url.drivername}") from error

    @sa.event.listens_for(engine, "do_connect")
    def _judge(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        if by_libpq:
            parameters.update(pinned(role.allow_list, role.name, parameters))
        elif url.host:
            _require_all(role, url.host)

    return engine


def _require_all(role: Role, host: str) -> None:
    found = reach.addresses_of(host)
    if len(reach.admitted(role.allow_list, host, role.name)) != len(found):
        raise reach.not_allowed(host, found, role.name)


def reason_of(error: sa.exc.SQLAlchemyError) -> str:
    """What the database said, in one line and without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)[:300]
