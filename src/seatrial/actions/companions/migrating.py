"""The companion of tenants.migrate: takes every tenant to the newest version, some at a time.

    python -m seatrial.actions.companions.migrating STARTER ASSIGNMENT

What is done is on record before the next thing is (`drivers.migration_record`), so this process and the tools
that it runs may be killed at any instant: the next start ends what is left of them, on the server too, asks
every schema for its version, and goes on with those that are left. A tenant that fails keeps none of the
others from being migrated. When whoever started it is gone, no further tenant is begun.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from seatrial.actions.companions.lock_waits import EVERY_S, LockWatch
from seatrial.actions.migration_tool import Migration, application_name
from seatrial.drivers import migration_record
from seatrial.drivers.launch import Starter, end_tagged, say_ready
from seatrial.drivers.migration_record import MigrationRecord
from seatrial.drivers.tenant_database import Tenant, TenantDatabase, TenantState
from seatrial.model.problems import SeatrialError, TooLate, Unavailable
from seatrial.model.role import Role
from seatrial.processes import TAG


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be done, as the action that starts us says it."""

    migration: Migration
    discover: str
    parallel: int
    within_s: float

    def to_json(self) -> str:
        """One line, without secrets: the role is as its target file has it."""
        told = self.migration
        role = {name: getattr(told.role, name) for name in told.role.__slots__}
        plain = {"tool": told.tool, "migrations": told.migrations, "up": told.up, "down": told.down}
        rest = {"discover": self.discover, "parallel": self.parallel, "within_s": self.within_s}
        return json.dumps({"role": role, "migration": plain, **rest})

    @classmethod
    def from_json(cls, text: str) -> Assignment:
        """The inverse of `to_json`."""
        data = json.loads(text)
        role = Role(**{**data["role"], "allow": tuple(data["role"]["allow"])})
        told = data["migration"]
        migration = Migration(role, told["tool"], told["migrations"], tuple(told["up"]), tuple(told["down"]))
        return cls(migration, data["discover"], data["parallel"], data["within_s"])


@dataclass(slots=True)
class Migrator:
    """One start of a migration."""

    assignment: Assignment
    token: str
    record: MigrationRecord
    database: TenantDatabase
    lives: threading.Event = field(default_factory=threading.Event)  # set: begin no further tenant
    _ends_at: float = 0.0

    def run(self, earlier: Sequence[Mapping[str, Any]], ready: Any = say_ready) -> None:
        """Migrate whoever is left. `earlier`: the record so far; `ready` is called once it is begun."""
        self._ends_at = time.monotonic() + self.assignment.within_s
        tenants = self.database.discovered(self.assignment.discover)
        goal = self.assignment.migration.goal
        # with no goal, what a tool has done shows in nothing but the versions and the shape
        states = self.database.states(tenants, shapes=not goal)
        continued = not migration_record.came_to_its_end(earlier)
        if not continued:
            self.record.begin_anew()
        done = _done(earlier) if continued else frozenset()
        left = [each for each in tenants if _is_left(each, states[each.name], goal, done)]
        self.record.write(
            "begun", token=self.token, process=os.getpid(), tool=self.assignment.migration.tool or "command",
            goal=goal, parallel=self.assignment.parallel, tenants=[each.name for each in tenants],
            left=[each.name for each in left], looks_every_s=EVERY_S,
        )  # fmt: skip
        watch = LockWatch(self.assignment.migration.role, tenants, self.record)
        watch.start()
        ready()
        with ThreadPoolExecutor(self.assignment.parallel, thread_name_prefix="seatrial-tenant") as pool:
            for order, tenant in enumerate(left, start=1):
                pool.submit(self._one, order, tenant, states[tenant.name], goal)
        watch.stop()
        self._finish(tenants, left, watch)

    def _one(self, order: int, tenant: Tenant, state: TenantState, goal: Sequence[str]) -> None:
        within_s = self._ends_at - time.monotonic()
        if self.lives.is_set() or within_s <= 0:
            return
        self.record.write(
            "started", tenant=tenant.name, schema=tenant.schema, order=order, before=state.version,
            token=f"{self.token}-{order}",
        )  # fmt: skip
        result, said = "done", ""
        migration = self.assignment.migration
        try:
            migration.run(migration.up, tenant, f"{self.token}-{order}", within_s)
        except TooLate as error:
            result, said = "cut", str(error)
        except SeatrialError as error:
            result, said = "failed", str(error)
        after, changed = state.version, False
        try:
            now = self.database.states([tenant], shapes=not goal)[tenant.name]
            after, changed = now.version, now != state
            if result == "done" and not set(goal) <= set(now.applied):
                result, said = "failed", f"its tool ended well, and it is at {after or 'no version'}"
        except SeatrialError as error:
            result, said = "failed", said or f"its version could not be read afterwards: {error}"
        self.record.write("ended", tenant=tenant.name, after=after, changed=changed, result=result, said=said)

    def _finish(self, tenants: Sequence[Tenant], left: Sequence[Tenant], watch: LockWatch) -> None:
        found = self.database.states(tenants)
        self.record.write("looked", tenants={name: state.plain() for name, state in found.items()})
        became = migration_record.results(migration_record.read_record(self._path))
        mine = {each.name: became.get(each.name, {}) for each in left}
        failed = [name for name, line in mine.items() if line.get("result") != "done"]
        self.record.write(
            "finished", token=self.token, done=len(left) - len(failed), failed=failed, looks=watch.looks,
            longest_blind_s=round(watch.longest_blind_s, 6), trouble=watch.trouble,
        )  # fmt: skip

    @property
    def _path(self) -> Path:
        return migration_record.record_path(self.assignment.migration.role)


def _done(lines: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    became = migration_record.results(lines)
    return frozenset(name for name, line in became.items() if line.get("result") == "done")


def _is_left(tenant: Tenant, state: TenantState, goal: Sequence[str], done: frozenset[str]) -> bool:
    """Where the versions are known they decide; a record alone may be of a database that was restored."""
    return not set(goal) <= set(state.applied) if goal else tenant.name not in done


def end_what_is_left(role: Role, lines: Sequence[Mapping[str, Any]]) -> None:
    """End the processes of the last start that is on record, and its connections to the server.

    A tool that was killed leaves a transaction which the server rolls back only when it notices. Raises
    Unavailable when something cannot be ended.
    """
    begun = migration_record.last_start(lines)
    if begun is None:
        return
    directory = Path(role.directory)
    end_tagged(begun["token"], directory)
    cut = [line["token"] for line in migration_record.results(lines).values() if "result" not in line]
    for token in cut:
        end_tagged(token, directory)
    with TenantDatabase(role, "clean-up") as database:
        end_connections(database.connection, begun["token"])


def end_connections(connection: psycopg.Connection, token: str) -> None:
    """Have the server end what a migration's tools are connected to, and wait until it has."""
    try:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
            [application_name(token)],
        )
    except psycopg.Error as error:
        raise Unavailable(f"what is left of a migration cannot be ended: {error}") from error


def migrate(assignment: Assignment, token: str, lives: threading.Event, ready: Any = say_ready) -> None:
    """One start, from the record to its end. Raises SeatrialError when it cannot begin."""
    role = assignment.migration.role
    path = migration_record.record_path(role)
    with MigrationRecord.opened(path) as record:
        earlier = migration_record.read_record(path)
        if not migration_record.came_to_its_end(earlier):
            end_what_is_left(role, earlier)
        with TenantDatabase(role, "migration") as database:
            Migrator(assignment, token, record, database, lives).run(earlier, ready)


def main(arguments: Sequence[str]) -> None:
    """Migrate, as long as whoever started us lives."""
    starter, assignment = Starter(arguments[0]), Assignment.from_json(arguments[1])
    gone = threading.Event()

    def watch() -> None:
        starter.outlive()
        gone.set()

    threading.Thread(target=watch, daemon=True).start()
    migrate(assignment, os.environ[TAG], gone)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SeatrialError as problem:
        sys.exit(str(problem))
