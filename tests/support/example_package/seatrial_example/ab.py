"""ab -g: a row a request, `seconds` since 1970 when it began and `ttime` in milliseconds how long it took."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source, without_schedule
from seatrial.model.exactness import Exactness
from seatrial.model.requestlog import Coded

_WHOLE_SECONDS = Exactness(sent_late_s=1.0, ended_late_s=1.001, took_s=0.001)


class AbImporter(Importer):
    """A closed loop: it does not say when requests were due, and leaves out those without an answer."""

    name: ClassVar[str] = "ab"

    def recognises(self, source: Source) -> bool:
        return source.first_line.startswith("starttime\tseconds\tctime\t")

    def read(self, source: Source) -> Imported:
        rows = [line.decode().split("\t") for number, line in source.lines() if number > 1]
        sent, took = (np.array([float(row[column]) for row in rows]) for column in (1, 4))
        ok, status = np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows))
        nothing = Coded(np.zeros(len(rows), dtype=np.int32), ("",))
        log = without_schedule(
            source, sent=sent, ended=sent + took / 1000, ok=ok, status=status, name=nothing, error=nothing
        )
        return Imported(log, self.name, ANSWERED_ALONE, (CLOSED_LOOP,), exact=_WHOLE_SECONDS)
