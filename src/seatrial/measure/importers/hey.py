"""hey: what `hey -o csv` prints, a row a request.

`offset` is when a request began, from the start of the test, and `response-time` how long it took: seconds,
rounded to 0.1 ms. So sent is within 0.05 ms of what is told, the length as well, and ended within 0.1 ms.

hey writes rows of answers alone: a refused connection, a reset and its own timeout (`-t`, 20 s) are counted
in its summary and are not in the CSV. So a failure of that kind is a silence here (see `silence`).
"""

from __future__ import annotations

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.answers import ANSWERS_ALONE, rows_of_answers
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source
from seatrial.model.exactness import Exactness

_COLUMNS = ("response-time", "status-code", "offset")
_ROUNDED = Exactness(sent_early_s=5e-5, sent_late_s=5e-5, ended_early_s=1e-4, ended_late_s=1e-4, took_s=1e-4)
_MOST = 1_000_000
_FULL = "hey keeps a million requests at the most: what came after them is not in this log"


class HeyImporter(Importer):
    """A closed loop: each of its workers waits for an answer before it asks again."""

    name = "hey"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV."""
        return set(_COLUMNS) <= set(source.header())

    def read(self, source: Source) -> Imported:
        """Good is an answer below 400."""
        log = rows_of_answers(source, sent="offset", took="response-time", status="status-code")
        full = (_FULL,) if len(log) >= _MOST else ()
        return Imported(log, self.name, ANSWERED_ALONE, (CLOSED_LOOP, ANSWERS_ALONE, *full), exact=_ROUNDED)
