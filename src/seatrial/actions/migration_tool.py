"""How one tenant is migrated: a program that somebody keeps is run, once for its schema.

A program finds in its environment: DATABASE_URL (with `search_path` set to the schema, as dbmate and others
take it), TENANT, TENANT_SCHEMA, for Flyway FLYWAY_URL, FLYWAY_USER and FLYWAY_PASSWORD, and PGHOST …
PGOPTIONS, by which whatever is built on libpq is in the tenant's schema: psql, or Alembic with
`create_engine("postgresql+psycopg://")`. So no password stands in the process list.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from seatrial.drivers import reach
from seatrial.drivers.launch import require_program, run_tagged
from seatrial.drivers.tenant_database import Tenant
from seatrial.drivers.tenants import TenantsBinding, filled
from seatrial.extras import TESTBED
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

ToolName = Literal["dbmate", "alembic", "flyway"]

_DBMATE = ("dbmate", "--no-dump-schema", "--env-file", "/dev/null", "--migrations-dir", "{migrations}")
_ALEMBIC = ("alembic", "-c", "{migrations}/alembic.ini", "-x", "tenant={tenant}", "-x", "schema={schema}")
_UP: dict[ToolName, tuple[str, ...]] = {
    "dbmate": (*_DBMATE, "migrate"),
    "alembic": (*_ALEMBIC, "upgrade", "head"),
    "flyway": ("flyway", "-schemas={schema}", "-locations=filesystem:{migrations}", "migrate"),
}
# Of dbmate one step, repeated; of Alembic all at once; of Flyway nothing: its undo is not free.
_DOWN: dict[ToolName, tuple[str, ...]] = {
    "dbmate": (*_DBMATE, "rollback"),
    "alembic": (*_ALEMBIC, "downgrade", "{version}"),
    "flyway": (),
}
_NAMED_VERSION = re.compile(r"(\d+)_?.*\.sql")
_OF_LIBPQ = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "connect_timeout": "PGCONNECT_TIMEOUT",
}  # fmt: skip
_WHERE = ("host", "hostaddr", "port", "user", "password", "dbname")


@dataclass(frozen=True, slots=True)
class Migration:
    """What is run for each tenant. `migrations`: the directory of a tool's files, absolute."""

    role: Role
    tool: ToolName | None
    migrations: str
    up: tuple[str, ...]
    down: tuple[str, ...]  # empty: what was migrated stays

    @classmethod
    def by_tool(cls, role: Role, tool: ToolName, migrations: str, back: bool) -> Migration:
        """With one of the tools that are known here. Raises BadInput for one that cannot go back."""
        if back and not _DOWN[tool]:
            raise BadInput(f"{tool} has no command that goes back; write one: undo: [./down.sh, …]")
        return cls(role, tool, migrations, _UP[tool], _DOWN[tool] if back else ())

    @property
    def goal(self) -> tuple[str, ...]:
        """The versions that every tenant must have in the end, ascending; none: the tool alone knows."""
        if self.tool != "dbmate":
            return ()
        names = (_NAMED_VERSION.fullmatch(path.name) for path in sorted(Path(self.migrations).iterdir()))
        return tuple(name[1] for name in names if name)

    def require_programs(self) -> None:
        """Raise Unavailable for a program that is not there."""
        for command in filter(None, (self.up, self.down)):
            program = _found(self.role.resolved(command[0]))
            try:
                require_program(program, Path(self.role.directory))
            except Unavailable as error:
                mend = f"; to mend: {TESTBED.way_out}" if self.tool == "dbmate" else ""
                raise Unavailable(f"{error}{mend}") from error

    def run(
        self, command: Sequence[str], tenant: Tenant, token: str, within_s: float, version: str = ""
    ) -> None:
        """Run a command for a tenant, to its end. Raises Unavailable with its last words.

        `version`: where to go back to, "base" for none.
        """
        words = {
            "tenant": tenant.name,
            "schema": tenant.schema,
            "migrations": self.migrations,
            "version": version or "base",
        }
        variables = self._variables(tenant, token)
        arguments = [
            filled(self.role.resolved(word), **words, url=variables["DATABASE_URL"]) for word in command
        ]
        arguments[0] = _found(arguments[0])
        run_tagged(
            arguments, token, directory=Path(self.role.directory), within_s=within_s, variables=variables
        )

    def shown(self, command: Sequence[str]) -> str:
        """A command for people."""
        return " ".join(filled(word, migrations=self.migrations) for word in command)

    def _variables(self, tenant: Tenant, token: str) -> dict[str, str]:
        given = conninfo_to_dict(self.role.bound_to(TenantsBinding).url)
        host, port = str(given.get("host") or ""), str(given.get("port") or 5432)
        if "," in host or "," in port:
            raise BadInput(f"roles.{self.role.name}.url: migration tools take one host, not several")
        _require_all(self.role, host)
        user, password = str(given.get("user") or ""), str(given.get("password") or "")
        database = str(given.get("dbname") or user)
        more = {key: str(value) for key, value in given.items() if key not in _WHERE and value is not None}
        more = {"sslmode": "disable", **more, "search_path": tenant.schema}
        more["application_name"] = application_name(token)
        libpq = {name: str(given[key]) for key, name in _OF_LIBPQ.items() if given.get(key) is not None}
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
        place = f"{host}:{port}/{quote(database, safe='')}"
        return {
            "DATABASE_URL": f"postgres://{login}{place}?{urlencode(more)}",
            "TENANT": tenant.name,
            "TENANT_SCHEMA": tenant.schema,
            "FLYWAY_URL": f"jdbc:postgresql://{place}",
            "FLYWAY_USER": user,
            "FLYWAY_PASSWORD": password,
            **libpq,
            "PGAPPNAME": more["application_name"],
            "PGOPTIONS": f"{given.get('options') or ''} {_search_path(tenant.schema)}".strip(),
        }


def _search_path(schema: str) -> str:
    """The option of a server process that puts a schema first: an identifier, as libpq takes it."""
    quoted = '"' + schema.replace('"', '""') + '"'
    return "-csearch_path=" + re.sub(r"([\\\s])", r"\\\1", quoted)


def application_name(token: str) -> str:
    """What the connections of a migration are called on the server, for whoever ends what is left of it."""
    return f"seatrial migrates {token.partition('-')[0][:12]}"


def _require_all(role: Role, host: str) -> None:
    """A tool resolves the name once more by itself, so all of its addresses must be allowed."""
    if not host or host.startswith("/"):
        return
    found = reach.addresses_of(host)
    if len(reach.admitted(role.allow_list, host, role.name)) != len(found):
        raise reach.not_allowed(host, found, role.name)


def _found(program: str) -> str:
    """The program, also where it came with a wheel into an environment that is not on PATH."""
    beside = Path(sys.executable).parent / program
    return program if shutil.which(program) or not beside.is_file() else str(beside)


def require_directory(named: str, found: Path | None) -> str:
    """The absolute path of the migrations. Raises Unavailable when there are none."""
    if found is None or not found.is_dir():
        raise Unavailable(f"with.migrations: there is no directory {named}")
    return str(found)
