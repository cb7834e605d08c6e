-- A constraint that the data of one tenant does not meet, as only the data of one ever does.

-- migrate:up
DO $$ BEGIN
    IF current_schema() = 'tenant057' THEN
        INSERT INTO orders (tenant, key, sku, quantity) VALUES ('tenant057', 'large', 'sku-001', 5000);
    END IF;
END $$;
ALTER TABLE orders ADD CONSTRAINT no_large_orders CHECK (quantity <= 1000);

-- migrate:down
ALTER TABLE orders DROP CONSTRAINT no_large_orders;
