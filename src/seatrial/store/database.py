"""A database that may be away: SQLite beside us or PostgreSQL somewhere, behind one way to open transactions.

SQLite is opened in WAL mode with `synchronous=FULL`: a recorded verdict survives a power cut. Writers say
`BEGIN IMMEDIATE`, because a transaction that reads first and writes later would otherwise be refused when
another process wrote in between, and no waiting would help it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from seatrial import disk
from seatrial.home import private_directory, seatrial_home, touch_private
from seatrial.model import secrets
from seatrial.model.problems import BadInput, Unavailable
from seatrial.store import migrations, schema

_BUSY_TIMEOUT_S = 15
_CONNECT_TIMEOUT_S = 5
_ADVISORY_LOCK = 0x5EA7_81A1  # ours alone, so that daemons starting together create the tables once
_POSTGRES = ("postgres", "postgresql")


def default_url(environment: Mapping[str, str] = os.environ) -> str:
    """`$SEATRIAL_DATABASE`, else a SQLite file in `seatrial_home()`."""
    return environment.get("SEATRIAL_DATABASE") or f"sqlite:///{seatrial_home(environment)}/seatrial.sqlite"


class Database:
    """Transactions on one database. Whatever goes wrong with reaching it is `Unavailable`."""

    def __init__(self, url: str) -> None:
        self._url = _readable(url)
        if self._url.password:
            secrets.remember(str(self._url.password), "${SEATRIAL_DATABASE}")
        self._engine = _engine(self._url)

    @property
    def name(self) -> str:
        """Its address, without the password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def is_postgres(self) -> bool:
        """Whether several hosts can share it."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with self._translated(), self._engine.execution_options(begin="DEFERRED").begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes: committed at the end, rolled back on any error."""
        with self._translated(), self._engine.execution_options(begin="IMMEDIATE").begin() as connection:
            yield connection

    def prepare(self) -> None:
        """Create what is missing, or bring an older schema up to date, with all that is in it.

        Several processes may do so at once: one does it, the others wait. Raises BadInput when a newer
        seatrial wrote this database.
        """
        with self.reading() as connection:
            found = _version(connection)
        if found < schema.SCHEMA_VERSION:
            with self.writing() as connection:
                if self.is_postgres:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
                found = _version(connection)
                if not found:
                    self._create(connection)
                elif found < schema.SCHEMA_VERSION:
                    migrations.upgrade(connection)
        if found > schema.SCHEMA_VERSION:
            raise BadInput(
                f"{self.name} was written by a newer seatrial (schema {found}, this one knows "
                f"{schema.SCHEMA_VERSION}); install that, or name another database in SEATRIAL_DATABASE"
            )

    def _create(self, connection: sa.Connection) -> None:
        schema.metadata.create_all(connection)
        self.insert_new(connection, schema.schema_version, {"version": schema.SCHEMA_VERSION})
        self.insert_new(connection, schema.alembic_version, {"version_num": schema.REVISION})

    def insert_new(self, connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
        """Insert `row` unless a unique rule of `table` forbids it; whether it was inserted."""
        insert = postgresql.insert if self.is_postgres else sqlite.insert
        # SQLAlchemy forgets an INSERT's row count unless told to keep it, and `inline` keeps it from adding a
        # RETURNING, under which SQLite has no row count yet.
        statement = insert(table).values(**row).on_conflict_do_nothing().inline()
        counted = connection.execute(statement, execution_options={"preserve_rowcount": True})
        return counted.rowcount == 1

    def lock(self, connection: sa.Connection, keys: set[str]) -> None:
        """Until the end of this transaction, no other holds one of `keys` (SQLite has one writer anyway).

        PostgreSQL numbers rows before it commits them: without this, the later of two messages about one
        incident could be seen, and sent, before the earlier.
        """
        if self.is_postgres:
            for key in sorted(keys):
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, MemoryError) as error:
            raise self._unavailable(error) from error
        except sa.exc.DBAPIError as error:
            # A damaged file is the base class itself; what we did wrong has a class of its own.
            if error.connection_invalidated or type(error) is sa.exc.DatabaseError:
                raise self._unavailable(error) from error
            raise

    def _unavailable(self, error: Exception) -> Unavailable:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        cause = said[0] if said else type(error).__name__
        file = self._url.database if not self.is_postgres else None
        room = disk.room_told(Path(file)) if file else ""
        return Unavailable(f"the run database {self.name} does not answer: {cause}{room}")


def _version(connection: sa.Connection) -> int:
    """The schema of this database; 0 when there is none yet."""
    if not sa.inspect(connection).has_table(schema.schema_version.name):
        return 0
    return connection.scalar(sa.select(sa.func.max(schema.schema_version.c.version))) or 0


def _readable(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadInput(
            "SEATRIAL_DATABASE is not a database address; write it like "
            "sqlite:////var/lib/seatrial/seatrial.sqlite or postgresql://user@host/database"
        ) from error
    if parsed.drivername in _POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadInput(
            f"SEATRIAL_DATABASE: {parsed.get_backend_name()} is not supported; use sqlite or postgresql"
        )
    return parsed


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _CONNECT_TIMEOUT_S, "client_encoding": "utf8"},
            pool_timeout=10,
        )
    if url.database:
        with disk.storing("the run database", Path(url.database)):
            if url.database != ":memory:":
                private_directory(Path(url.database).parent)
                touch_private(Path(url.database))  # SQLite gives its rights to the log beside it
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver shall not begin transactions on its own
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'IMMEDIATE')}")


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant as UTC. Raises ValueError when it has no zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"'{text}' has no time zone")
    return instant.astimezone(UTC)
