"""Occurrences that can be paged through, counted and picked by what became of them, however many."""

from __future__ import annotations

from alembic import op

revision = "3"
down_revision = "2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From schema 2."""
    op.create_index("occurrences_by_instant", "occurrences", ["planned_at", "schedule", "state"])
    op.create_index("occurrences_by_state", "occurrences", ["schedule", "state", "planned_at"])
    op.execute("INSERT INTO seatrial_schema (version) VALUES (3)")
