"""Runs that can be searched: what each has measured in tables of its own, and where its evidence is.

Nothing is changed in the rows that are there. What can be searched is taken out of them when the database is
next opened, for which they are marked: `indexed` is 0.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = None
branch_labels = None
depends_on = None

_TEXTS = (
    "title", "directory", "host", "revision", "seatrial", "rate", "experiment_sha256", "verdict_sha256",
    "exported_to",
)  # fmt: skip


def upgrade() -> None:
    """From schema 1."""
    op.add_column("runs", sa.Column("indexed", sa.Integer, nullable=False, server_default="0"))
    for name in _TEXTS:
        op.add_column("runs", sa.Column(name, sa.Text, nullable=False, server_default=""))
    for name in ("length_s", "offered_per_s"):
        op.add_column("runs", sa.Column(name, sa.Double))
    for name in ("version_before", "version_after"):
        op.add_column("runs", sa.Column(name, sa.Text))
    op.add_column("runs", sa.Column("evidence_deleted_at", sa.DateTime(timezone=True)))
    op.create_index("runs_by_start", "runs", ["started_at", "run"])
    op.create_index("runs_named", "runs", ["experiment", "started_at"])
    op.create_index("runs_to_index", "runs", ["indexed"])
    _create_what_is_taken_out()
    _of_run("run_evidence", "file", _column("bytes", sa.BigInteger), _column("sha256"))
    op.execute("INSERT INTO seatrial_schema (version) VALUES (2)")


def _create_what_is_taken_out() -> None:
    _of_run(
        "run_objectives",
        "position",
        _column("name"),
        _column("promised", sa.Double),
        sa.Column("lower", sa.Double),
        sa.Column("upper", sa.Double),
        _column("unit"),
        _column("verdict"),
        _column("reason"),
    )
    _of_run(
        "run_faults",
        "position",
        _column("name"),
        _column("fault"),
        _column("role"),
        sa.Column("injected_s", sa.Double),
        sa.Column("undone_s", sa.Double),
        sa.Column("verified", sa.Boolean),
        _column("undo"),
    )
    op.create_index("run_faults_by_fault", "run_faults", ["fault", "role"])
    _of_run("run_checks", "position", _column("name"), _column("verdict"), _column("detail"))
    _of_run(
        "run_phases",
        "position",
        _column("step"),
        _column("name"),
        sa.Column("begin_s", sa.Double),
        sa.Column("end_s", sa.Double),
        _column("source"),
    )
    _of_run("run_covers", "requirement")
    op.create_index("run_covers_by_requirement", "run_covers", ["requirement"])


def _of_run(name: str, key: str, *columns: sa.Column[Any]) -> None:
    kind = sa.Integer if key == "position" else sa.Text
    op.create_table(
        name,
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column(key, kind, primary_key=True, autoincrement=False),
        *columns,
        sa.ForeignKeyConstraint(["run", "target"], ["runs.run", "runs.target"], ondelete="CASCADE"),
    )


def _column(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
