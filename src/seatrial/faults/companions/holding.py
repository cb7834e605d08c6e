"""The companion of database.connections and database.lock: holds what only an open connection can hold.

    python -m seatrial.faults.companions.holding STARTER ALLOW URL connections COUNT
    python -m seatrial.faults.companions.holding STARTER ALLOW URL lock TABLE MODE SECONDS

ALLOW is the target's allow list, comma-separated. URL is as the target file has it, with its references:
secrets do not appear in a process list. When this process ends, however that comes about, the server drops
the connections, and with them the effect.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from seatrial.drivers.launch import Starter, say_ready
from seatrial.drivers.libpq import holder_name, parameters_of
from seatrial.model.allow import AllowList
from seatrial.model.problems import SeatrialError, Unavailable
from seatrial.model.references import resolve
from seatrial.processes import TAG

_RETRY_EVERY_S = 0.05


def main(arguments: list[str]) -> None:
    """Hold until whoever started it is gone."""
    starter, allow = Starter(arguments[0]), AllowList.of(arguments[1].split(","))
    database = Database(allow, str(resolve(arguments[2], os.environ)))
    match arguments[3:]:
        case ["connections", count]:
            _hold_connections(starter, database, int(count))
        case ["lock", table, mode, seconds]:
            _hold_lock(starter, database, table, mode, float(seconds))


@dataclass(frozen=True, slots=True)
class Database:
    """Where connections go."""

    allow: AllowList
    url: str

    def connect(self) -> psycopg.Connection:
        """One more."""
        parameters = parameters_of(self.allow, "the database", self.url)
        parameters |= {"application_name": holder_name(os.environ.get(TAG, "")), "connect_timeout": 5}
        return psycopg.connect(**parameters)


def _hold_connections(starter: Starter, database: Database, count: int) -> None:
    """Take `count` connections, or with 0 every one there is, also those that others give back."""
    held = [database.connect()]
    _take_more(held, database, count)
    say_ready()
    while starter.lives():
        _take_more(held, database, count)
        time.sleep(_RETRY_EVERY_S)


def _take_more(held: list[psycopg.Connection], database: Database, count: int) -> None:
    with contextlib.suppress(psycopg.OperationalError, Unavailable):  # there are no more: that is the idea
        while count == 0 or len(held) < count:
            held.append(database.connect())


def _hold_lock(starter: Starter, database: Database, table: str, mode: str, seconds: float) -> None:
    with database.connect() as connection:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(round(seconds * 1000)))
        name = sql.Identifier(*table.split("."))
        connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(name, sql.SQL(mode)))
        say_ready()
        starter.outlive()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (psycopg.Error, SeatrialError) as problem:
        sys.exit(str(problem))
