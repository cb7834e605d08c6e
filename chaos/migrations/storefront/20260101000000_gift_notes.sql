-- Orders get a note. Nothing is rewritten: the column has no default, and the table is locked for an instant, for
-- which nobody is kept waiting longer than the lock's own limit.

-- migrate:up
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN note text;

-- migrate:down
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders DROP COLUMN note;
