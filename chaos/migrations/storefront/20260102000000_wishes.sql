-- A new table is fenced like all others before anybody may use it.

-- migrate:up
CREATE TABLE wishes (
    tenant    name NOT NULL DEFAULT current_user,
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku       text NOT NULL,
    wished_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE wishes ENABLE ROW LEVEL SECURITY;
ALTER TABLE wishes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON wishes USING (tenant = current_user);
DO $$ BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON wishes TO %I', current_schema());
END $$;

-- migrate:down
DROP TABLE wishes;
