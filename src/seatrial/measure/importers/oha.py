"""oha: what `oha --output-format csv` prints, a row a request.

`request-start` is counted from the start of the test, `request-duration` from the start of the request, both
in seconds with nanoseconds. Requests that failed without an answer have no row; see `hey`. Its JSON holds
percentiles, and no requests.

With `--latency-correction` the duration counts from when a request was due and its start is still the true
one (`RequestResult::duration` in oha 1.15), so an end that is reckoned from both is too late by how late the
request was sent. No row tells whether that was so.
"""

from __future__ import annotations

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.answers import ANSWERS_ALONE, rows_of_answers
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source

_COLUMNS = ("request-start", "request-duration", "status")
_SUMMARY = (
    "is oha's summary of a run, not its single requests, so no outage can be read from it; run oha with "
    "--output-format csv"
)
_CORRECTED = (
    "oha does not tell whether it ran with --latency-correction; if it did, requests that were sent late "
    "ended earlier than is taken here, and seem slower"
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
        log = rows_of_answers(source, sent="request-start", took="request-duration", status="status")
        return Imported(log, self.name, ANSWERED_ALONE, (CLOSED_LOOP, ANSWERS_ALONE, _CORRECTED))


def _is_summary(source: Source) -> bool:
    return source.first_line.startswith("{") and all(
        key in source.head for key in (b'"successRate"', b'"latencyPercentiles"')
    )
