"""hey: what `hey -o csv` prints, a row a request.

`offset` is when a request began, from the start of the test, and `response-time` how long it took: seconds,
rounded to 0.1 ms. So sent is within 0.05 ms of what is told, the length as well, and ended within 0.1 ms.

hey writes rows of answers alone: a refused connection, a reset and its own timeout (`-t`, 20 s) are counted
in its summary and are not in the CSV. So a failure of that kind is a silence here (see `silence`).
"""

from __future__ import annotations

from functools import partial

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.delimited import Kind, floats, line_of_row, read_csv
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source, without_schedule
from seatrial.model.exactness import Exactness
from seatrial.model.requestlog import Coded

_COLUMNS = ("response-time", "status-code", "offset")
_ROUNDED = Exactness(sent_early_s=5e-5, sent_late_s=5e-5, ended_early_s=1e-4, ended_late_s=1e-4, took_s=1e-4)
_MOST = 1_000_000
ANSWERS_ALONE = (
    "this log has rows of answers alone: requests that were refused, reset or timed out are not in it. "
    "Where it is "
    "silent an outage lasted 0 seconds at the least"
)
_FULL = "hey keeps a million requests at the most: what came after them is not in this log"


class HeyImporter(Importer):
    """A closed loop: each of its workers waits for an answer before it asks again."""

    name = "hey"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV."""
        return set(_COLUMNS) <= set(source.header())

    def read(self, source: Source) -> Imported:
        """Good is an answer below 400."""
        kinds: dict[str, Kind] = dict.fromkeys(_COLUMNS, "number")
        table = read_csv(source, kinds, required=_COLUMNS, filled=_COLUMNS)
        sent, status = floats(table, "offset"), floats(table, "status-code")
        log = without_schedule(
            source,
            sent=sent,
            ended=sent + floats(table, "response-time"),
            ok=(status >= 100) & (status < 400),
            status=status,
            name=Coded.of([""] * len(sent)),
            error=Coded.of([""] * len(sent)),
            line_of=partial(line_of_row, source),
        )
        full = (_FULL,) if len(log) >= _MOST else ()
        return Imported(log, self.name, ANSWERED_ALONE, (CLOSED_LOOP, ANSWERS_ALONE, *full), exact=_ROUNDED)
