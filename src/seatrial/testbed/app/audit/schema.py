"""The tables of the audit log. Its role may add, but neither alter nor delete what it has added."""

from __future__ import annotations

ROLE = "audit"


def audit_schema_sql(password: str) -> str:
    """A psql script for the shop's database. `password`: of the role, letters and digits.

    A process that stops in a transaction holds the head of the chain, hence the short time-outs. No time-out
    ends a COMMIT that waits for the standby.
    """
    return f"""
CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';
ALTER ROLE {ROLE} SET search_path = {ROLE};
ALTER ROLE {ROLE} SET statement_timeout = '5s';
ALTER ROLE {ROLE} SET lock_timeout = '3s';
ALTER ROLE {ROLE} SET idle_in_transaction_session_timeout = '2s';
CREATE SCHEMA {ROLE};
GRANT USAGE ON SCHEMA {ROLE} TO {ROLE};

CREATE TABLE {ROLE}.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    size bigint NOT NULL,
    hash text NOT NULL
);
INSERT INTO {ROLE}.head (size, hash) VALUES (0, repeat('0', 64));
CREATE TABLE {ROLE}.entries (seq bigint PRIMARY KEY, batch text NOT NULL, line text NOT NULL);
CREATE INDEX ON {ROLE}.entries (batch);
CREATE TABLE {ROLE}.batches (
    id        text PRIMARY KEY,
    first     bigint NOT NULL,
    last      bigint NOT NULL UNIQUE,
    digest    bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE {ROLE}.checkpoints (
    size      bigint PRIMARY KEY,
    note      text NOT NULL,
    peaks     bytea NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE {ROLE}.keys (one boolean PRIMARY KEY DEFAULT true CHECK (one), verifier text NOT NULL);
CREATE TABLE {ROLE}.signer (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder  text NOT NULL DEFAULT '',
    until   timestamptz NOT NULL DEFAULT clock_timestamp(),
    failure text
);
INSERT INTO {ROLE}.signer DEFAULT VALUES;

GRANT SELECT ON ALL TABLES IN SCHEMA {ROLE} TO {ROLE};
GRANT INSERT ON {ROLE}.entries, {ROLE}.batches, {ROLE}.checkpoints, {ROLE}.keys TO {ROLE};
GRANT UPDATE ON {ROLE}.head, {ROLE}.signer TO {ROLE};
"""  # noqa: S608  # our own names
