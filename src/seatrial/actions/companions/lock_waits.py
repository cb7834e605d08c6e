"""Watch who waits for a lock while tenants are migrated: on which table, in which mode, behind whom.

PostgreSQL's own views tell it (pg_locks, pg_stat_activity, pg_blocking_pids), asked again and again. A wait
is known from its `waitstart`, so its length at the last look is exact from below; that it was over at the
next look bounds it from above. One that is shorter than the time between two looks may not be seen, and that
time is what it was, not what it was meant to be: a server that is busy answers late.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg

from seatrial.drivers.migration_record import MigrationRecord
from seatrial.drivers.tenant_database import Tenant, TenantDatabase
from seatrial.model.problems import SeatrialError
from seatrial.model.role import Role

EVERY_S = 0.05

_WAITS = """
SELECT w.pid, extract(epoch FROM l.waitstart), extract(epoch FROM clock_timestamp() - l.waitstart),
       coalesce(n.nspname, ''), coalesce(c.relname, l.locktype), l.mode, w.usename, w.application_name,
       left(w.query, 200), b.pid, b.usename, b.application_name, left(b.query, 200), h.mode
FROM pg_locks l
JOIN pg_stat_activity w ON w.pid = l.pid
LEFT JOIN pg_class c ON c.oid = l.relation
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT unnest(pg_blocking_pids(l.pid)) AS pid LIMIT 1) first ON true
LEFT JOIN pg_stat_activity b ON b.pid = first.pid
LEFT JOIN LATERAL (SELECT mode FROM pg_locks g WHERE g.pid = first.pid AND g.granted
                   AND g.relation = l.relation ORDER BY g.mode LIMIT 1) h ON true
WHERE NOT l.granted AND l.waitstart IS NOT NULL AND w.datname = current_database()
"""


@dataclass(slots=True)
class _Wait:
    """One that is under way: what is told of it, and how long it was at the last look."""

    told: dict[str, Any]
    length_s: float
    seen_at: float


class LockWatch(threading.Thread):
    """Writes each wait into the record once it is over."""

    def __init__(self, role: Role, tenants: list[Tenant], record: MigrationRecord) -> None:
        super().__init__(name="seatrial-lock-watch", daemon=True)
        self._role = role
        self._tenants = {tenant.schema: tenant.name for tenant in tenants}
        self._record = record
        self._over = threading.Event()
        self._waits: dict[tuple[int, float], _Wait] = {}
        self._looked_at = time.monotonic()  # when the last look began; before the first, the watch
        self.looks = 0
        self.longest_blind_s = 0.0  # a wait that fits in may not have been seen
        self.trouble = ""

    def stop(self) -> None:
        """Look no more, and write down what is still under way as far as it was seen."""
        self._over.set()
        self.join()

    def run(self) -> None:
        try:
            with TenantDatabase(self._role, "lock watch") as database:
                while not self._over.wait(EVERY_S):
                    self._look(database.connection)
                self._look(database.connection)  # what the last migration has let go is over, and has an end
        except (SeatrialError, psycopg.Error) as error:
            self.trouble = str(error).partition("\n")[0]
        for wait in self._waits.values():
            self._record.write("waited", **wait.told, lower_s=wait.length_s, upper_s=None)

    def _look(self, connection: psycopg.Connection) -> None:
        asked_at = time.monotonic()
        rows = connection.execute(_WAITS.encode()).fetchall()
        now = time.time()
        self.looks += 1
        self.longest_blind_s = max(self.longest_blind_s, time.monotonic() - self._looked_at)
        self._looked_at = asked_at
        seen = {}
        for row in rows:
            key = (int(row[0]), float(row[1]))
            seen[key] = _Wait(self._told_first(key, row), float(row[2]), now)
        for key in self._waits.keys() - seen.keys():
            gone = self._waits[key]
            upper_s = gone.length_s + now - gone.seen_at
            self._record.write("waited", **gone.told, lower_s=gone.length_s, upper_s=upper_s)
        self._waits = seen

    def _told_first(self, key: tuple[int, float], row: tuple[Any, ...]) -> dict[str, Any]:
        """As at the first look that saw who held the lock: later its holder does other things with it."""
        known = self._waits.get(key)
        return known.told if known is not None and known.told["blocker"]["pid"] else self._told(row)

    def _told(self, row: tuple[Any, ...]) -> dict[str, Any]:
        schema = row[3]
        return {
            "began": float(row[1]),
            "tenant": self._tenants.get(schema, ""),
            "table": f"{schema}.{row[4]}" if schema else row[4],
            "mode": row[5],
            "waiter": {"pid": row[0], "user": row[6], "application": row[7], "statement": row[8]},
            "blocker": {
                "pid": row[9],
                "user": row[10],
                "application": row[11],
                "statement": row[12],
                "holds": row[13],
            },
        }
