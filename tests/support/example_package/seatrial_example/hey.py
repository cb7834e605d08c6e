"""hey -o csv: a row a request, offset and response-time in seconds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source, without_schedule
from seatrial.model.requestlog import Coded


class HeyImporter(Importer):
    """A closed loop: it does not say when requests were due."""

    name: ClassVar[str] = "hey"

    def recognises(self, source: Source) -> bool:
        return source.first_line.startswith("response-time,DNS+dialup,")

    def read(self, source: Source) -> Imported:
        rows = [line.decode().split(",") for number, line in source.lines() if number > 1]
        took, status, sent = (np.array([float(row[column]) for row in rows]) for column in (0, 6, 7))
        nothing = Coded(np.zeros(len(rows), dtype=np.int32), ("",))
        log = without_schedule(
            source, sent=sent, ended=sent + took, ok=status < 400, status=status, name=nothing, error=nothing
        )
        return Imported(log, self.name, ENDED_ALONE, (CLOSED_LOOP,))
