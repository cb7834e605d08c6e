"""Timestamps that are written as dates, as JMeter's `timestamp_format` makes them.

The forms are those that JMeter itself reads back, with or without a fraction of a second, and ISO 8601. A day
that follows dots comes first (31.12.2026), one that follows slashes second (12/31/2026), as JMeter has it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from seatrial.measure.importers.importer import LineOf, Source
from seatrial.model.requestlog import Coded, Floats

_CLOCK = r"[ T](?P<clock>\d{2}:\d{2}:\d{2})(?:[.,](?P<fraction>\d{1,9}))?\s?(?P<zone>Z|[+-]\d{2}:?\d{2})?$"
_FORMS = tuple(
    rf"^{day}{_CLOCK}"
    for day in (
        r"(?P<year>\d{4})[/-](?P<month>\d{2})[/-](?P<day>\d{2})",
        r"(?P<month>\d{2})/(?P<day>\d{2})/(?P<year>\d{4}|\d{2})",
        r"(?P<day>\d{2})\.(?P<month>\d{2})\.(?P<year>\d{4})",
    )
)
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_SOME_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
DATES = (
    "timestamps are dates: without a zone they were taken as the local time of the machine that wrote them, "
    "whose clock was not changed meanwhile. In 12/31/2026 the month comes first. "
    "-Jjmeter.save.saveservice.timestamp_format=ms leaves no doubt"
)


def looks_like_a_date(text: str) -> bool:
    """Whether `text` is in one of the forms."""
    return any(re.match(form, text) for form in _FORMS)


def dates_s(column: Coded, source: Source, line_of: LineOf) -> Floats:
    """Seconds since some midnight; only differences mean something, as dates without zone have no other.

    All must have the form of the first. Raises BadInput with the line of one that has not, or is no date.
    """
    if not len(column.codes):
        return np.empty(0)
    first = column.values[column.codes[0]]
    form = next(form for form in _FORMS if re.match(form, first) or form is _FORMS[-1])
    zoned = bool(_ZONE.search(first))
    seconds = np.zeros(len(column.values))
    for code in np.unique(column.codes).tolist():
        instant = _instant(column.values[code], form)
        if instant is None or bool(instant.tzinfo) != zoned:
            row = int(np.argmax(column.codes == code))
            raise source.problem(_wrong(column.values[code]), line_of(row))
        zero = _SOME_MIDNIGHT if zoned else _SOME_MIDNIGHT.replace(tzinfo=None)
        seconds[code] = (instant - zero) // timedelta(microseconds=1) / 1e6
    return seconds[column.codes]


def _instant(text: str, form: str) -> datetime | None:
    """None for what has another form, or is no date."""
    found = re.match(form, text)
    if found is None:
        return None
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    microsecond = int((found["fraction"] or "0").ljust(6, "0")[:6])
    hour, minute, second = map(int, found["clock"].split(":"))
    day = int(found["month"]), int(found["day"])
    try:
        return datetime(year, *day, hour, minute, second, microsecond, tzinfo=_zone(found["zone"]))
    except ValueError:
        return None


def _zone(text: str | None) -> timezone | None:
    if text is None or text == "Z":
        return UTC if text else None
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _wrong(text: str) -> str:
    return f"column 'timeStamp': {text[:40]!r} is not a date in the form of the first one"
