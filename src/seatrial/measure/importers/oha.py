"""oha: what `oha --output-format csv` prints, a row a request.

`request-start` is counted from the start of the test, `request-duration` from the start of the request, both
in seconds with nanoseconds. Requests that failed without an answer have no row; see `hey`. Its JSON holds
percentiles, and no requests.
"""

from __future__ import annotations

from functools import partial

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.delimited import Kind, floats, line_of_row, read_csv
from seatrial.measure.importers.hey import ANSWERS_ALONE
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source, without_schedule
from seatrial.model.requestlog import Coded

_COLUMNS = ("request-start", "request-duration", "status")
_SUMMARY = (
    "is oha's summary of a run, not its single requests, so no outage can be read from it; run oha with "
    "--output-format csv"
)


class OhaImporter(Importer):
    """Without -q a closed loop; with it, oha does not write when a request was due."""

    name = "oha"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV, or its JSON, which `read` refuses with advice."""
        return set(_COLUMNS) <= set(source.header()) or _is_summary(source)

    def read(self, source: Source) -> Imported:
        """Good is an answer below 400."""
        if _is_summary(source):
            raise source.problem(_SUMMARY, 1)
        kinds: dict[str, Kind] = dict.fromkeys(_COLUMNS, "number")
        table = read_csv(source, kinds, required=_COLUMNS, filled=_COLUMNS)
        sent, status = floats(table, "request-start"), floats(table, "status")
        log = without_schedule(
            source,
            sent=sent,
            ended=sent + floats(table, "request-duration"),
            ok=(status >= 100) & (status < 400),
            status=status,
            name=Coded.of([""] * len(sent)),
            error=Coded.of([""] * len(sent)),
            line_of=partial(line_of_row, source),
        )
        return Imported(log, self.name, ANSWERED_ALONE, (CLOSED_LOOP, ANSWERS_ALONE))


def _is_summary(source: Source) -> bool:
    return source.first_line.startswith("{") and all(
        key in source.head for key in (b'"successRate"', b'"latencyPercentiles"')
    )
