"""A target's audit log in a database, which is recorded after a run: see `lookups.audit`.

    audit:
      driver: audit-log
      url: postgresql://auditor:${AUDIT_PASSWORD}@127.0.0.1:5432/shop
      entries: SELECT seq, line FROM audit.entries WHERE seq >= :from ORDER BY seq
      checkpoints: SELECT note, extract(epoch FROM signed_at) FROM audit.checkpoints ORDER BY size
      key: http://127.0.0.1:9000/audit/key

The check audit-chain records it through this role; the tables are yours, the texts are the ledger's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from seatrial.drivers.binding import Binding, Files
from seatrial.model.problems import Path
from seatrial.model.quantities import Duration


def _with_start(entries: str) -> str:
    if ":from" not in entries:
        raise ValueError("needs `seq >= :from`, the first entry that is asked for")
    return entries


class AuditLogBinding(Binding):
    """An audit log in a database: the questions that give its entries, and the keys that sign it."""

    driver: ClassVar[str] = "audit-log"

    url: str = Field(examples=["postgresql://auditor:${AUDIT_PASSWORD}@127.0.0.1:5432/shop"])
    """The database's address."""
    entries: Annotated[str, AfterValidator(_with_start)] = Field(
        examples=["SELECT seq, line FROM audit.entries WHERE seq >= :from ORDER BY seq"]
    )
    """The query for the entries from `:from` on: number and line of the ledger."""
    checkpoints: str = Field(
        examples=["SELECT note, extract(epoch FROM signed_at) FROM audit.checkpoints ORDER BY size"]
    )
    """The query for the signed checkpoints, and when each was signed, in seconds since 1970."""
    ingested: str | None = Field(
        default=None,
        examples=["SELECT last + 1, extract(epoch FROM stored_at) FROM audit.batches ORDER BY last"],
    )
    """The query for how many entries there were, and when; it makes the catching up exact."""
    key: Annotated[Files, Field(min_length=1)] = Field(examples=["http://127.0.0.1:9000/audit/key"])
    """The public key, or the address that gives it; a list after a change of keys."""
    within: Duration = Duration(60.0)
    """How long is waited after a run until the log is signed to its end."""
    timeout: Duration = Duration(10.0)
    """Each answer must come within that time."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
        for key in self.key:
            if key.startswith(("http://", "https://")):
                yield ("key",), key
