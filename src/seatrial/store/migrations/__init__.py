"""How a run database of an older schema becomes one of today's, in place: by Alembic, one file a step.

A new database is made from `schema` as it is, and opening one of today's asks for its version alone: Alembic
is loaded only when there is something to do. Each step runs in the transaction of whoever calls, who holds
the database alone: it is done whole, or not at all.

A step speaks of tables as they were in its time, and so never changes; what it has to know of them it says
itself. After `versions/vN_….py` was added, `schema.SCHEMA_VERSION` and `schema.REVISION` are N.
"""

from __future__ import annotations

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Take every step that is left. `connection` is in a transaction, which holds the database alone."""
    from alembic import command  # noqa: PLC0415  # which takes longer to load than most commands to run
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "seatrial.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
