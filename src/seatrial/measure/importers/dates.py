"""Timestamps that are written as dates, as JMeter's `timestamp_format` makes them.

The forms are those that JMeter itself reads back, with or without a fraction of a second, and ISO 8601. A day
that follows dots comes first (31.12.2026), one that follows slashes second (12/31/2026), as JMeter has it.
"""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seatrial.measure.importers.importer import LineOf, Source
from seatrial.model.requestlog import Floats

_CLOCK = r"[ T](?P<clock>\d{2}:\d{2}:\d{2})(?:[.,](?P<fraction>\d{1,9}))?\s?(?P<zone>Z|[+-]\d{2}:?\d{2})?$"
_FORMS = tuple(
    rf"^{day}{_CLOCK}"
    for day in (
        r"(?P<year>\d{4})[/-](?P<month>\d{2})[/-](?P<day>\d{2})",
        r"(?P<month>\d{2})/(?P<day>\d{2})/(?P<year>\d{4}|\d{2})",
        r"(?P<day>\d{2})\.(?P<month>\d{2})\.(?P<year>\d{4})",
    )
)
DATES = (
    "timestamps are dates: without a zone they were taken as the local time of the machine that wrote them, "
    "whose clock was not changed meanwhile. In 12/31/2026 the month comes first. "
    "-Jjmeter.save.saveservice.timestamp_format=ms leaves no doubt"
)


def looks_like_a_date(text: str) -> bool:
    """Whether `text` is in one of the forms."""
    return any(re.match(form, text) for form in _FORMS)


def dates_s(column: pa.ChunkedArray, source: Source, line_of: LineOf) -> Floats:
    """Seconds since some midnight; only differences mean something, as dates without zone have no other.

    All must have the form of the first. Raises BadInput with the line of one that has not, or is no date.
    """
    if not len(column):
        return np.empty(0)
    form = next(form for form in _FORMS if re.match(form, column[0].as_py()) or form is _FORMS[-1])
    iso = _iso(column, form)
    if iso.null_count:
        row = pc.index(iso.is_null(), True).as_py()
        raise source.problem(_wrong(column[row].as_py()), line_of(row))
    zoned = column[0].as_py()[-6:]
    kind = pa.timestamp("us", "UTC") if re.search(r"(Z|[+-]\d{2}:?\d{2})$", zoned) else pa.timestamp("us")
    try:
        instants = iso.cast(kind)
    except pa.ArrowInvalid as error:
        row = next((row for row, text in enumerate(iso.to_pylist()) if not _is_date(text, kind)), 0)
        raise source.problem(_wrong(column[row].as_py()), line_of(row)) from error
    return np.asarray(instants.cast(pa.int64()).to_numpy(), dtype=np.float64) / 1e6


def _iso(column: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    """The texts in ISO 8601; null where they have another form."""
    parts = {
        name: pa.chunked_array(
            [pc.struct_field(chunk, name) for chunk in pc.extract_regex(column, form).chunks]
        )
        for name in ("year", "month", "day", "clock", "fraction", "zone")
    }
    year = pc.if_else(pc.equal(pc.utf8_length(parts["year"]), 2), _joined("20", parts["year"]), parts["year"])
    fraction = pc.utf8_slice_codeunits(_joined(parts["fraction"], "000000"), 0, 6)
    day = pc.binary_join_element_wise(year, parts["month"], parts["day"], "-")
    return _joined(day, " ", parts["clock"], ".", fraction, parts["zone"])


def _joined(*parts: pa.ChunkedArray | str) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*parts, "")


def _is_date(text: str, kind: pa.DataType) -> bool:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (instant.tzinfo is not None) == (kind.tz is not None)


def _wrong(text: str) -> str:
    return f"column 'timeStamp': {text[:40]!r} is not a date in the form of the first one"
