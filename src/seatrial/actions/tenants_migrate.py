"""Take the schema of every tenant to the newest version, with a tool that somebody keeps, under load.

    {at: 8s, action: tenants.migrate, on: tenants, name: migrate, with: {
        tool: dbmate, migrations: db/migrations, parallel: 4, within: 60s}}

    {at: 8s, action: tenants.migrate, on: tenants, with: {
        run: [./migrate.sh, "{schema}"], undo: [./back.sh, "{schema}"]}}

The tool is run once for each tenant that the role's query finds, so many at a time. What is done is on record
before the next thing is: a start that was killed is gone on with by the next one, with those that are left.
A tenant that fails keeps none of the others from being migrated, and is named when all are through.

Without `undo` every tenant stays where it has come to. With `undo: down` each goes back to the version that
it had, by the down migrations of the tool. While tenants are migrated it is watched who waits for a lock (see
`actions.companions.lock_waits`), which the check lock-waits judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from seatrial.actions.action import Action
from seatrial.actions.companions.migrating import Assignment, end_what_is_left
from seatrial.actions.migration_tool import Migration, ToolName, require_directory
from seatrial.drivers import migration_record
from seatrial.drivers.binding import Program
from seatrial.drivers.launch import end_tagged, start_companion
from seatrial.drivers.libpq import answers
from seatrial.drivers.tenant_database import Tenant, TenantDatabase, TenantState
from seatrial.files import find_directory
from seatrial.model.problems import BadInput, Problem, SeatrialError, TooLate, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.model.strict import Strict, about, counted_in
from seatrial.model.undo import PartlyUndone
from seatrial.processes import tagged
from seatrial.undo.protocol import Undo
from seatrial.waiting import wait_until

_READY_WITHIN_S = 30.0
_GRACE_S = 10.0  # beyond `within`, for what was begun in time to be written down
_LOOK_EVERY_S = 0.05
_NAMED = 5  # tenants that a message names


class Before(Strict):
    """What undoing a migration needs."""

    before: dict[str, tuple[str, ...]]  # tenant → versions that its schema had before the run's first one
    schemas: dict[str, str]
    migrations: str  # absolute


class TenantsMigrate(Action):
    """Runs a migration tool once for each tenant's schema."""

    name: ClassVar[str] = "tenants.migrate"
    drivers: ClassVar[frozenset[str]] = frozenset({"tenants"})

    tool: ToolName | None = None
    """Which tool; dbmate comes with the extra `testbed`, the others must be on PATH.

    Flyway is set by its own variables: without FLYWAY_BASELINE_ON_MIGRATE=true it touches no schema that has
    tables and no history.
    """
    migrations: str = Field(default="", examples=["db/migrations"])
    """The directory of the tool's migrations; for Alembic that of its alembic.ini."""
    run: Program | None = Field(default=None, examples=[["./migrate.sh", "{schema}"]])
    """A program of your own in place of a tool; {tenant}, {schema} and {url} are filled in.

    Its environment says the same, as a tool's does: TENANT, TENANT_SCHEMA, DATABASE_URL, and PGHOST …
    PGOPTIONS, by which psql and all that is built on libpq are in the tenant's schema.
    """
    undo_: Literal["none", "down"] | Program = Field(default="none", alias="undo", examples=["down"])
    """How each goes back at the end of the run: by the tool's down migrations, or by a program.

    With `none` it stays where it is.
    """
    discover: str = Field(default="", examples=["SELECT tenant, schema FROM control.tenants WHERE wave = 1"])
    """The query for those that are migrated, where it is not all that the role's own query finds."""
    parallel: Annotated[int, Field(ge=1, le=64), counted_in("tenants")] = 4
    """How many are migrated at a time."""
    within: Duration = Duration(55.0)
    """All must be through within that time; none is begun later."""
    wait: bool = True
    """Whether the story waits for the last tenant; with `false` what follows happens meanwhile."""

    @model_validator(mode="after")
    def _one_way(self) -> TenantsMigrate:
        if (self.tool is None) == (self.run is None):
            raise ValueError("a migration is either by a tool or by a program: tool: …, or run: […]")
        if self.tool and not self.migrations:
            raise about("migrations", f"is missing, and {self.tool} needs it")
        if self.run and self.undo_ == "down":
            raise about(
                "undo", "nobody knows how a program of yours goes back: undo: [./back.sh, '{schema}']"
            )
        if self.tool and isinstance(self.undo_, tuple):
            raise about("undo", f"{self.tool} has down migrations of its own: undo: down")
        return self

    @property
    def lasting(self) -> bool:
        """Whether it stays."""
        return self.undo_ == "none"

    def fit(self, role: Role) -> None:
        role.require_variables(self)
        if self.tool:
            try:
                self._migration(role, self._directory()).require_programs()
            except (BadInput, Unavailable) as error:
                raise BadInput(Problem(str(error), path=("with", "tool"))) from error

    def look(self, role: Role) -> Undo:
        migration = self._migration(role, self._directory())
        migration.require_programs()
        with TenantDatabase(role, "look") as database:
            tenants = database.discovered(self.discover)
            states = database.states(tenants, shapes=False)
        if not tenants:
            raise Unavailable(f"{role.name}: its query finds no tenant")
        lacking = [name for name, state in states.items() if state.lacking]
        if lacking:
            raise Unavailable(f"{role.name}: there is no schema of {named(lacking)}")
        back = migration.shown(migration.down) if migration.down else ""
        return self.noting(
            role,
            Before(
                before={name: state.applied for name, state in states.items()},
                schemas={tenant.name: tenant.schema for tenant in tenants},
                migrations=migration.migrations,
            ),
            touches=f"{role.name}: {len(tenants)} tenants, {self.parallel} at a time: {_versions(states)}",
            by_hand=f"for each tenant, with its DATABASE_URL: {back}" if back else "",
            lasting=self.lasting,
        )

    def inject(self, undo: Undo) -> None:
        migration = self._migration(undo.role, undo.noted(Before).migrations)
        assignment = Assignment(migration, self.discover, self.parallel, self.within.seconds)
        start_companion(
            "seatrial.actions.companions.migrating",
            [assignment.to_json()],
            undo.token,
            directory=Path(undo.role.directory),
            within_s=_READY_WITHIN_S,
        )
        if self.wait:
            self._wait_for_the_last(undo)

    def _wait_for_the_last(self, undo: Undo) -> None:
        """Return when all are done. Raises Unavailable, with names, when some are not."""
        path = migration_record.record_path(undo.role)

        def ended() -> bool:
            return _finish(migration_record.read_record(path), undo.token) is not None

        within_s = self.within.seconds + _GRACE_S
        wait_until(lambda: ended() or not tagged(undo.token), within_s, _LOOK_EVERY_S)
        lines = migration_record.read_record(path)
        finish = _finish(lines, undo.token)
        if finish is None:
            raise TooLate("the migration ended before it was through; what it did is on record")
        if finish["failed"]:
            raise Unavailable(_failures(lines, finish["failed"]))

    def cut_short(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))
        self._end(undo)

    def undo(self, undo: Undo) -> None:
        self._end(undo)
        if self.lasting:
            return
        noted = undo.noted(Before)
        migration = self._migration(undo.role, noted.migrations)
        tenants = [Tenant(name, schema) for name, schema in noted.schemas.items()]
        path = migration_record.record_path(undo.role)
        with TenantDatabase(undo.role, "undo") as database:
            states = database.states(tenants, shapes=False)
            lines = migration_record.read_record(path)
            undone = lines and lines[-1]["event"] == "undone"
            touched = {} if undone else migration_record.results(lines)
            back = [each for each in tenants if self._is_beyond(each, states, noted, touched)]

            def go_back(tenant: Tenant) -> str:
                try:
                    self._go_back(migration, database, tenant, noted.before[tenant.name], undo.token)
                except SeatrialError as error:
                    return f"{tenant.name}: {error}"
                return ""

            with ThreadPoolExecutor(self.parallel) as pool:
                wrong = [text for text in pool.map(go_back, back) if text]
        if wrong:
            how = f"{len(wrong)} of {len(tenants)} tenants did not go back: {named(wrong)}"
            raise PartlyUndone(how) if len(wrong) < len(tenants) else Unavailable(how)
        with migration_record.MigrationRecord.opened(path) as record:
            record.write("undone", tenants=[tenant.name for tenant in back])

    def _is_beyond(
        self,
        tenant: Tenant,
        states: Mapping[str, TenantState],
        noted: Before,
        touched: Mapping[str, Mapping[str, Any]],
    ) -> bool:
        """Whether it is at a version that it did not have; where none is known, whether it was touched."""
        if self.tool or states[tenant.name].applied or noted.before[tenant.name]:
            return set(states[tenant.name].applied) != set(noted.before[tenant.name])
        return tenant.name in touched

    def _go_back(
        self,
        migration: Migration,
        database: TenantDatabase,
        tenant: Tenant,
        before: Sequence[str],
        token: str,
    ) -> None:
        """Once by a program; by dbmate a step at a time, as long as each makes a difference."""
        token, version = f"{token}-undo-{tenant.schema}", before[-1] if before else ""
        left = len(database.states([tenant], shapes=False)[tenant.name].applied) - len(before)
        for _ in range(max(left, 1) if self.tool == "dbmate" else 1):
            migration.run(migration.down, tenant, token, self.within.seconds, version)
        now = database.states([tenant], shapes=False)[tenant.name]
        if set(now.applied) != set(before):
            raise Unavailable(f"it is at {now.version or 'no version'}, not at {version or 'none'}")

    def gone(self, undo: Undo) -> bool | None:
        """Whether every tenant is where it was; of what stays there is nothing to say."""
        if self.lasting:
            return None
        noted = undo.noted(Before)
        with TenantDatabase(undo.role, "probe") as database:
            tenants = [Tenant(name, schema) for name, schema in noted.schemas.items()]
            states = database.states(tenants, shapes=False)
        return all(set(state.applied) == set(noted.before[name]) for name, state in states.items())

    def healthy(self, role: Role) -> bool:
        return answers(role)

    def _end(self, undo: Undo) -> None:
        """End the migration if it is this one and still under way."""
        lines = migration_record.read_record(migration_record.record_path(undo.role))
        begun = migration_record.last_start(lines)
        if begun is not None and begun["token"] == undo.token and _finish(lines, undo.token) is None:
            end_what_is_left(undo.role, lines)

    def _directory(self) -> str:
        return require_directory(self.migrations, find_directory(self.migrations)) if self.tool else ""

    def _migration(self, role: Role, migrations: str) -> Migration:
        if self.tool:
            return Migration.by_tool(role, self.tool, migrations, back=not self.lasting)
        back = self.undo_ if isinstance(self.undo_, tuple) else ()
        return Migration(role, None, "", self.run or (), back)


def _finish(lines: Sequence[Mapping[str, Any]], token: str) -> Mapping[str, Any] | None:
    return next((each for each in lines if each["event"] == "finished" and each["token"] == token), None)


def _failures(lines: Sequence[Mapping[str, Any]], failed: Sequence[str]) -> str:
    """Who failed, and with which words."""
    became = migration_record.results(lines)
    told = [
        f"{name}: {became.get(name, {}).get('said') or 'its turn did not come in time'}" for name in failed
    ]
    begun = migration_record.last_start(lines) or {"tenants": failed}
    return f"{len(failed)} of {len(begun['tenants'])} tenants are not migrated: {named(told)}"


def named(names: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _versions(states: Mapping[str, TenantState]) -> str:
    """Where they are now: `98 at 20260101, 2 at no version`."""
    counts: dict[str, int] = {}
    for state in states.values():
        counts[state.version or "no version"] = counts.get(state.version or "no version", 0) + 1
    return ", ".join(f"{count} at {version}" for version, count in sorted(counts.items()))
