"""The steps, from the first schema that was in use (1, whose databases know no Alembic)."""
