"""Which of the run's writes a target holds, through a role whose driver can be asked: see `drivers.stored`.

A scenario gives each write a key of the form `ID CONTENT…`: up to the first space the id, after it what the
write says, in whatever words the scenario likes. The target is asked for the ids; if its answer carries
content too, the two are compared word for word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from seatrial.drivers.stored import WRITES
from seatrial.lookups.recorder import Columns, Recorder, RunFacts
from seatrial.lookups.spooled_copies import SpooledCopies
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.model.secrets import screened


class Writes(Recorder[SpooledCopies]):
    """Each stored copy of the writes that the scenario made; a doubled write stands twice."""

    name: ClassVar[str] = "writes"
    drivers: ClassVar[tuple[str, ...]] = ()  # that can be asked: WRITES knows them
    kept_as: ClassVar[str] = "stored"

    def fit(self, role: Role) -> None:
        able = WRITES.as_written(role)
        if able is None:
            raise BadInput(self.elsewhere(role, WRITES.drivers()))
        able.stored_writes(role)

    def record(self, role: Role, run: RunFacts) -> SpooledCopies:
        self.fit(role)
        copies = WRITES.of(role).stored_writes(role).copies(run.keys)
        return SpooledCopies(copies, run.directory.parent)

    def evidence(self, data: SpooledCopies) -> Iterator[Columns]:
        yield {"id": [], "content": []}  # there are these columns, if there is nothing in them
        for ids, contents in data.parts():
            yield {"id": ids, "content": [content and screened(content) for content in contents]}
