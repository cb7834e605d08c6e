"""Locust: a CSV with one row a request, as a listener on its `request` event can write it.

Locust itself writes no such file: its `--csv` files, with `--csv-full-history` too, hold counts and
percentiles a second, from which no outage can be read. The listener's keywords are the columns here;
`start_time` is in seconds since 1970, `response_time` in milliseconds, and `exception` is empty for a good
request.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from seatrial.measure.generator import ENDED_ALONE
from seatrial.measure.importers.delimited import Kind, floats, line_of_row, read_csv, texts
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Importer, Source, without_schedule

_COLUMNS = ("start_time", "response_time", "exception")
_SUMMARIES = (
    {"Type", "Name", "Request Count"},  # _stats.csv
    {"Timestamp", "User Count", "Type"},  # _stats_history.csv
    {"Method", "Name", "Error", "Occurrences"},  # _failures.csv
    {"Count", "Message", "Traceback", "Nodes"},  # _exceptions.csv
)
_ADVICE = (
    "holds Locust's summaries, not single requests, so no outage can be read from it. Let the users be of "
    "seatrial's OpenLoopUser, or write one row a request: in the locustfile, "
    "@events.request.add_listener def row(start_time, response_time, name, exception, **_): "
    "writer.writerow([start_time, response_time, name, exception or '']) "
    f"under the header {','.join((*_COLUMNS[:2], 'name', _COLUMNS[2]))}"
)


class LocustImporter(Importer):
    """One row an event."""

    name = "locust"

    def recognises(self, source: Source) -> bool:
        """The columns of events, or one of Locust's own files (which `read` refuses with advice)."""
        header = set(source.header())
        return set(_COLUMNS) <= header or any(summary <= header for summary in _SUMMARIES)

    def read(self, source: Source) -> Imported:
        """Good is a request without an exception."""
        header = set(source.header())
        if any(summary <= header for summary in _SUMMARIES):
            raise source.problem(_ADVICE, 1)
        kinds: dict[str, Kind] = dict.fromkeys(("start_time", "response_time", "status"), "number")
        kinds |= dict.fromkeys(("name", "exception"), "text")
        table = read_csv(source, kinds, required=_COLUMNS, filled=_COLUMNS[:2])
        sent = floats(table, "start_time")
        exception = texts(table, "exception")
        log = without_schedule(
            source,
            sent=sent,
            ended=sent + floats(table, "response_time") / 1000,
            ok=exception.equals(""),
            status=floats(table, "status") if "status" in table else sent * 0,
            name=texts(table, "name"),
            error=exception,
            line_of=partial(line_of_row, source),
        )
        zero = float(np.min(sent, initial=np.inf))
        return Imported(log, self.name, ENDED_ALONE, (CLOSED_LOOP,), zero_unix_s=zero)
