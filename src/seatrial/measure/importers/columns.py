"""Any CSV with one row a request, when it is told which column means what (`--columns`).

    --columns sent=started_at:ms,took=elapsed:ms,status=code,name=path

On the left stand the columns of the request log (`sent`, `ended`, `intended`, `status`, `ok`, `name`,
`error`, `served_by`, `worker`) and `took`, from which the instant that is missing is reckoned. On the right
stands the file's own column, and for a time its unit: s (as it is if none is told), ms, us, ns, or iso for
RFC 3339.

**Instants.** Whole numbers throughout are taken for a clock that is cut to the unit, of resolution R: the
truth is in [t, t + R). With a fraction they are taken as they are. An instant that is reckoned from a length
has the inexactness of both. Without `intended` nothing is known of when requests were due, and without `took`
and one of the instants nothing of how long they took (see `access`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from seatrial.measure.generator import ENDED_ALONE, LogTells
from seatrial.measure.importers.delimited import (
    Columns,
    Kind,
    floats,
    line_of_row,
    read_csv,
    status_codes,
    texts,
    truths,
)
from seatrial.measure.importers.importer import (
    CLOSED_LOOP,
    Imported,
    Importer,
    LineOf,
    Source,
    check_times,
    epoch_s,
)
from seatrial.model.exactness import Exactness
from seatrial.model.problems import BadInput, nearest
from seatrial.model.requestlog import Bools, Coded, Floats, RequestLog

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "iso": 0.0}
_TIMES = ("intended", "sent", "ended", "took")
_TEXTS = ("name", "error", "served_by", "worker")
_FIELDS = (*_TIMES, "status", "ok", *_TEXTS)
_SCHEDULED = LogTells(due=True, dropped=False, unanswered=False)
_EPOCH_S = 1e8  # an instant beyond 1973 is one since 1970; a smaller one counts from some start
_NO_LENGTH = (
    "these columns do not tell how long requests took, so no answer can be called too late: each is taken "
    "to have "
    "taken the deadline at the most, and every bound is as much wider; give took= or both sent= and ended="
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the file and the unit of a time in it."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class _Time:
    """Seconds, and how far they are cut."""

    at: Floats
    cut_s: float


class ColumnsImporter(Importer):
    """Read by what is told alone: no file looks like it."""

    name = "columns"

    def recognises(self, source: Source) -> bool:
        """Never: it is asked for."""
        return bool(source.told.columns)

    def read(self, source: Source) -> Imported:
        """Good is what `ok` says, or an answer below 400. Raises BadInput with the line that is wrong."""
        wanted = _wanted(source.told.columns)
        kinds: dict[str, Kind] = {
            column.name: "number" if field in _TIMES and column.unit != "iso" else "text"
            for field, column in wanted.items()
        }
        filled = [wanted[field].name for field in ("sent", "intended") if field in wanted]
        table = read_csv(source, kinds, required=list(kinds), filled=filled)
        line_of = partial(line_of_row, source)
        times = {field: _time(table, wanted[field], source, line_of) for field in _TIMES if field in wanted}
        sent, ended = _instants(times)
        zero = float(np.nanmin(sent)) if len(sent) and not np.isnan(sent).all() else 0.0
        log = _log(table, wanted, source, times, sent - zero, ended - zero, zero)
        check_times(log, source, line_of)
        exact = _exactness(times)
        scheduled = "intended" in times
        said = (*(() if scheduled else (CLOSED_LOOP,)), *(() if exact.took else (_NO_LENGTH,)))
        tells = _SCHEDULED if scheduled else ENDED_ALONE
        dated = zero if zero >= _EPOCH_S else None
        return Imported(log, self.name, tells, said, exact=exact, zero_unix_s=dated)


def _wanted(told: str) -> dict[str, _Column]:
    """`sent=started_at:ms,…` by our names. Raises BadInput."""
    if not told:
        known = ", ".join(_FIELDS)
        raise BadInput(
            f"--format columns needs --columns, such as sent=start:ms,took=elapsed:ms,status=code ({known})"
        )
    wanted: dict[str, _Column] = {}
    for part in told.split(","):
        field, equals, column = (word.strip() for word in part.partition("="))
        name, colon, unit = column.rpartition(":")
        if not colon or unit not in _UNITS:
            name, unit = column, "s"
        if not equals or not name:
            raise BadInput(f"--columns: {part.strip()[:60]!r} is not of the form sent=start_ms:ms")
        if field not in _FIELDS:
            raise BadInput(f"--columns: unknown column '{field[:60]}'{nearest(field, _FIELDS)}")
        wanted[field] = _Column(name, unit)
    if not {"sent", "ended", "intended"} & set(wanted):
        raise BadInput(
            "--columns: one of sent=, ended= and intended= is needed, or nobody knows when requests were"
        )
    if not {"status", "ok"} & set(wanted):
        raise BadInput("--columns: status= or ok= is needed, or good and bad requests cannot be told apart")
    return wanted


def _time(table: Columns, column: _Column, source: Source, line_of: LineOf) -> _Time:
    """A time in seconds. Raises BadInput with the line of one that is no date."""
    if column.unit != "iso":
        values = floats(table, column.name)
        known = values[~np.isnan(values)]
        whole = bool(np.all(known == np.floor(known)))
        return _Time(values * _UNITS[column.unit], _UNITS[column.unit] if whole else 0.0)
    cells = texts(table, column.name)
    seconds, digits = np.full(max(len(cells.values), 1), np.nan), 0  # some writers leave out zeros at the end
    for code, text in enumerate(cells.values):
        if not text:
            continue
        try:
            seconds[code] = epoch_s(text)
        except (ValueError, OverflowError) as error:
            row = int(np.argmax(cells.codes == code))
            said = f"column '{column.name}': {text[:40]!r} is no RFC 3339 instant"
            raise source.problem(said, line_of(row)) from error
        fraction = text.partition(".")[2].rstrip("Zz").partition("+")[0].partition("-")[0]
        digits = max(digits, min(len(fraction), 6))
    return _Time(seconds[cells.codes], 10.0**-digits)


def _instants(times: dict[str, _Time]) -> tuple[Floats, Floats]:
    """When requests were sent and ended; what is not told is taken from what is."""
    took = times["took"].at if "took" in times else 0.0
    sent = times.get("sent") or times.get("intended")
    if "ended" in times:
        ended = times["ended"].at
        return (sent.at if sent else ended - took), ended
    assert sent is not None
    return sent.at, np.asarray(sent.at + took)


def _exactness(times: dict[str, _Time]) -> Exactness:
    cut = {field: time.cut_s for field, time in times.items()}
    begins, ends, took = bool({"sent", "intended"} & set(cut)), "ended" in cut, "took" in cut
    length_s = cut.get("took", 0.0)
    sent_s, ended_s = cut.get("sent", cut.get("intended", 0.0)), cut.get("ended", 0.0)
    if begins and ends:
        return Exactness(
            sent_late_s=sent_s, ended_late_s=ended_s, took_s=length_s if took else max(sent_s, ended_s)
        )
    if begins:
        return Exactness(sent_late_s=sent_s, ended_late_s=sent_s + length_s, took_s=length_s, ends=took)
    return Exactness(
        sent_early_s=length_s, sent_late_s=ended_s, ended_late_s=ended_s, took_s=length_s, begins=took
    )


def _log(
    table: Columns,
    wanted: dict[str, _Column],
    source: Source,
    times: dict[str, _Time],
    sent: Floats,
    ended: Floats,
    zero: float,
) -> RequestLog:
    name, error, served_by, worker = (
        texts(table, wanted[field].name) if field in wanted else texts(table, "") for field in _TEXTS
    )
    status = _status(table, wanted)
    ok = _ok(table, wanted, status, error, source)
    return RequestLog(
        intended=times["intended"].at - zero if "intended" in times else sent,
        sent=sent,
        ended=ended,
        ok=ok & ~np.isnan(ended),
        status=np.clip(status, 0, 999).astype(np.int16),
        name=name,
        served_by=served_by,
        error=error,
        worker=worker,
    )


def _status(table: Columns, wanted: dict[str, _Column]) -> Floats:
    return status_codes(texts(table, wanted["status"].name)) if "status" in wanted else np.zeros(len(table))


def _ok(table: Columns, wanted: dict[str, _Column], status: Floats, error: Coded, source: Source) -> Bools:
    if "ok" in wanted:
        return truths(table, wanted["ok"].name, source)
    return np.asarray((status >= 100) & (status < 400) & error.equals(""))
