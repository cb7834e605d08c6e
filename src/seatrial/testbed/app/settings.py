"""What a release is told when it starts: `settings.json`, and who it is, from its environment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seatrial.testbed.app.audit.settings import AuditSettings, Hsm


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Addresses and passwords; the file holds exactly these names."""

    host: str
    port: int
    database_host: str
    database_port: int
    database_password: str = field(repr=False)
    cache_host: str
    cache_port: int
    cache_password: str = field(repr=False)
    audit: AuditSettings
    tenants: int = 4
    connections_per_tenant: int = 8

    def to_json(self) -> str:
        """The text of `settings.json`."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def read(cls, path: Path) -> AppSettings:
        """From `settings.json`."""
        values = json.loads(path.read_text())
        audit = values.pop("audit")
        hsm = audit.pop("hsm")
        return cls(**values, audit=AuditSettings(**audit, hsm=Hsm(**hsm) if hsm else None))


@dataclass(frozen=True, slots=True)
class Identity:
    """Which release this process is, and where; every answer says so."""

    release: str
    region: str

    @classmethod
    def from_environment(cls) -> Identity:
        """From RELEASE and REGION."""
        return cls(os.environ["RELEASE"], os.environ["REGION"])
