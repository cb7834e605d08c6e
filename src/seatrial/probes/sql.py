"""Ask a database: the first column of the first row is the value.

    {sql: "SELECT count(*) FROM dead_letters", on: database, max: 0}

True, or anything that is present, is well; a number must lie between `min` and `max`.
"""

from __future__ import annotations

from typing import ClassVar

import sqlalchemy as sa

from seatrial.drivers.database import engine_of, reason_of
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.probes.protocol import ProbeKind


class SqlProbe(ProbeKind):
    """The first column of the first row."""

    name: ClassVar[str] = "sql"

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when the value is good. Raises Unavailable when there is none."""
        engine = engine_of(role, str(role.parameters.get("url", "")), probe.within.seconds)
        try:
            with engine.connect() as connection:
                return probe.judge(connection.execute(sa.text(probe.question)).scalar())
        except sa.exc.SQLAlchemyError as error:
            raise Unavailable(reason_of(error)) from error
        finally:
            engine.dispose()
