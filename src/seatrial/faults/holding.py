"""The companion of database.connections and database.lock: holds what only an open connection can hold.

    python -m seatrial.faults.holding CONDUCTOR URL connections COUNT
    python -m seatrial.faults.holding CONDUCTOR URL lock TABLE MODE SECONDS

URL is as the target file has it, with its references: secrets do not appear in a process list. When this
process ends, however that comes about, the server drops the connections, and with them the effect.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

import psycopg
from psycopg import sql

from seatrial.faults.launch import Conductor, say_ready
from seatrial.faults.postgres import holder_name
from seatrial.faults.processes import TAG
from seatrial.model.target import resolve

_RETRY_EVERY_S = 0.05


def main(arguments: list[str]) -> None:
    """Hold until the conductor is gone."""
    conductor, url = Conductor(arguments[0]), str(resolve(arguments[1], os.environ))
    match arguments[2:]:
        case ["connections", count]:
            _hold_connections(conductor, url, int(count))
        case ["lock", table, mode, seconds]:
            _hold_lock(conductor, url, table, mode, float(seconds))


def _hold_connections(conductor: Conductor, url: str, count: int) -> None:
    """Take `count` connections, or with 0 every one there is, also those that others give back."""
    held = [_connect(url)]
    _take_more(held, url, count)
    say_ready()
    while conductor.lives():
        _take_more(held, url, count)
        time.sleep(_RETRY_EVERY_S)


def _take_more(held: list[psycopg.Connection], url: str, count: int) -> None:
    with contextlib.suppress(psycopg.OperationalError):  # there are no more: that is the idea
        while count == 0 or len(held) < count:
            held.append(_connect(url))


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, application_name=holder_name(os.environ.get(TAG, "")), connect_timeout=5)


def _hold_lock(conductor: Conductor, url: str, table: str, mode: str, seconds: float) -> None:
    with _connect(url) as connection:
        connection.execute(sql.SQL("SET lock_timeout = {}").format(round(seconds * 1000)))
        name = sql.Identifier(*table.split("."))
        connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(name, sql.SQL(mode)))
        say_ready()
        conductor.outlive()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except psycopg.Error as problem:
        sys.exit(str(problem))
