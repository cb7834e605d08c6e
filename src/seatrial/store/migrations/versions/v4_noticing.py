"""Lists of runs tell how soon faults were noticed, beside how soon all was well, and what runs cost.

Nothing is changed in the rows that are there: `indexing` takes both out of them when the database is opened.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From schema 3."""
    op.add_column("runs", sa.Column("currency", sa.Text))
    for name in ("cost_lower", "cost_upper", "per_million_lower", "per_million_upper"):
        op.add_column("runs", sa.Column(name, sa.Double))
    op.create_table(
        "run_detections",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("step", "alert", "source")),
        *(
            sa.Column(name, sa.Double)
            for name in ("detect_lower_s", "detect_upper_s", "recover_lower_s", "recover_upper_s")
        ),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["run", "target"], ["runs.run", "runs.target"], ondelete="CASCADE"),
    )
    op.execute("INSERT INTO seatrial_schema (version) VALUES (4)")
