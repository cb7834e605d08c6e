"""CSV with a row for each answer, and none for what was refused, reset or timed out: hey's and oha's."""

from __future__ import annotations

from functools import partial

from seatrial.measure.importers.delimited import floats, line_of_row, read_csv
from seatrial.measure.importers.importer import Source, without_schedule
from seatrial.model.requestlog import Coded, RequestLog

ANSWERS_ALONE = (
    "this log has rows of answers alone: requests that were refused, reset or timed out are not in it. "
    "Where it is silent an outage lasted 0 seconds at the least"
)


def rows_of_answers(source: Source, *, sent: str, took: str, status: str) -> RequestLog:
    """The log of three columns: `sent` and `took` in seconds, an HTTP `status`. Good is one below 400.

    Raises BadInput for a column that is missing or no number.
    """
    columns = (took, status, sent)
    table = read_csv(source, dict.fromkeys(columns, "number"), required=columns, filled=columns)
    sent_s, statuses = floats(table, sent), floats(table, status)
    untold = Coded.of([""] * len(sent_s))
    return without_schedule(
        source,
        sent=sent_s,
        ended=sent_s + floats(table, took),
        ok=(statuses >= 100) & (statuses < 400),
        status=statuses,
        name=untold,
        error=untold,
        line_of=partial(line_of_row, source),
    )
