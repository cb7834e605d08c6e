"""A target's audit log in a database, which is recorded after a run: see `lookups.audit`."""

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
    """The questions that give its entries and checkpoints, and the keys that it is signed with."""

    driver: ClassVar[str] = "audit-log"

    url: str
    entries: Annotated[str, AfterValidator(_with_start)]
    checkpoints: str
    ingested: str | None = None  # how many entries there were, and when
    key: Annotated[Files, Field(min_length=1)]  # or a list, after a change
    within: Duration = Duration(60.0)
    timeout: Duration = Duration(10.0)

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
        for key in self.key:
            if key.startswith(("http://", "https://")):
                yield ("key",), key
