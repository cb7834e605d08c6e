-- A careless migration: the new type rewrites the table, and whatever else is done in the same transaction keeps the
-- lock for as long as it takes. The sleep stands in for a table of some millions of rows.

-- migrate:up
ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;
SELECT pg_sleep(1.5) WHERE current_schema() = 'globex';

-- migrate:down
ALTER TABLE orders ALTER COLUMN quantity TYPE integer;
