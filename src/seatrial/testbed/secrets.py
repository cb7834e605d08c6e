"""Passwords of one testbed: made at `up`, never shown, gone at `down`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, fields

CACHE_PASSWORD = "SEATRIAL_TESTBED_CACHE_PASSWORD"  # noqa: S105  # names of variables, not passwords
DATABASE_PASSWORD = "SEATRIAL_TESTBED_DATABASE_PASSWORD"  # noqa: S105
TENANT_PASSWORD = "SEATRIAL_TESTBED_TENANT_PASSWORD"  # noqa: S105
HSM_PIN = "SEATRIAL_TESTBED_HSM_PIN"


@dataclass(frozen=True, slots=True)
class Secrets:
    """One password a purpose."""

    superuser: str = field(repr=False)
    replication: str = field(repr=False)
    rewind: str = field(repr=False)
    tenant: str = field(repr=False)
    cache: str = field(repr=False)
    raft: str = field(repr=False)
    hsm: str = field(repr=False)
    audit: str = field(repr=False)  # password of the role
    audit_seed: str = field(repr=False)  # of the software key, where there is no HSM

    @classmethod
    def generate(cls) -> Secrets:
        """Fresh ones, of 128 bits each."""
        return cls(*(secrets.token_hex(16) for _ in fields(cls)))

    def environment(self) -> dict[str, str]:
        """What `target.yaml` refers to."""
        return {
            CACHE_PASSWORD: self.cache,
            DATABASE_PASSWORD: self.superuser,
            TENANT_PASSWORD: self.tenant,
            HSM_PIN: self.hsm,
        }
