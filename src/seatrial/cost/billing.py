"""Bills as files: a CSV of days and costs, or an export in FOCUS, as cloud providers write it.

    day,cost                                          one row a day, or several that add up
    2026-10-01,1234.50

    BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,…        FOCUS, any 1.x

FOCUS is the FinOps Open Cost and Usage Specification: one row a charge, its costs in columns of fixed names,
its time from `ChargePeriodStart` (inclusive) until `ChargePeriodEnd` (exclusive), in UTC. Only usage is
watched: taxes, credits, purchases and adjustments come when they come, and are counted and told instead. So
are corrections of periods that were billed before (`ChargeClass`).

A bill by the hour is added up to days, and its hours are kept beside them, in UTC: an instant without a zone
is taken for one of UTC, and that is told, for clocks that are changed show an hour twice. Where such a bill
has all 24 hours of most days, a day that lacks some is not known.

Source: FinOps Foundation, FOCUS Specification 1.0 to 1.2, columns and their definitions.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from seatrial.cost.series import HOURS, Charge, CostSeries, Floats, by_day, hours_until, in_a_row, spread
from seatrial.measure.importers.importer import Source
from seatrial.model.problems import BadInput, Location, Problem, nearest

COSTS = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
"""Of FOCUS: what may be watched. Billed is what the invoice says; effective spreads what was paid upfront."""
USAGE = "Usage"
_START, _END = "ChargePeriodStart", "ChargePeriodEnd"
_CATEGORY, _CLASS, _CURRENCY = "ChargeCategory", "ChargeClass", "BillingCurrency"
_DAYS, _AMOUNTS = ("day", "date"), ("cost", "amount")
_NOTHING = ("", "null", "NULL")
_LONGEST_CELL = 40
_HOUR = timedelta(hours=1)


def read_bill(path: Path, *, focus: bool = False, column: str = COSTS[0]) -> CostSeries:
    """What each day cost, by a CSV (compressed by gzip or zstd, or not).

    `focus`: it must be an export in FOCUS, of which `column` is the cost; otherwise its header tells. Raises
    BadInput with the place of what cannot be read.
    """
    try:
        source = Source.of(path)
    except BadInput as error:
        told = "is empty: a bill has a header line and a row for each day or charge"
        empty = [problem for problem in error.problems if problem.message.startswith("is empty")]
        raise BadInput(Problem(told, Location(str(path)))) if empty else error from error
    with io.TextIOWrapper(source.open(), "utf-8-sig", newline="") as stream:
        try:
            return _Reader(str(path), source.delimiter).series(stream, focus, column)
        except UnicodeDecodeError as error:
            raise BadInput(Problem("is not UTF-8 text", Location(str(path)))) from error
        except (OSError, EOFError) as error:
            raise BadInput(Problem(f"cannot be read: {error}", Location(str(path)))) from error


@dataclass(slots=True)
class Hours:
    """Which hours of which days (UTC) a bill has, as far as it tells."""

    known: dict[date, set[int]] = field(default_factory=dict)
    longest: timedelta = timedelta(0)
    zoned: bool = True  # whether all instants say in which zone they are
    _costs: dict[int, float] = field(default_factory=dict)  # by hours since 1970, while none is longer

    def add(self, charge: Charge) -> None:
        """A charge of the bill."""
        self.longest = max(self.longest, charge.end - charge.start)
        if self.longest <= _HOUR:
            for hour, amount in spread(charge, HOURS):
                self._costs[hour] = self._costs.get(hour, 0.0) + amount
        self.known.setdefault(charge.start.date(), set()).add(charge.start.hour)

    @property
    def by_the_hour(self) -> bool:
        """Whether it is a bill by the hour: some days have several, and nothing is charged for longer."""
        return self.longest <= _HOUR and any(len(hours) > 1 for hours in self.known.values())

    def since(self, first: date) -> Floats:
        """What each hour cost from the beginning of a day on; empty for a bill that is not by the hour."""
        if not self.by_the_hour:
            return np.empty(0)
        return in_a_row(self._costs, hours_until(first), max(self._costs))

    def in_part(self) -> list[date]:
        """Days that lack hours, of a bill that has all of them of most days."""
        if not self.by_the_hour or median(map(len, self.known.values())) < HOURS:
            return []
        return sorted(day for day, hours in self.known.items() if len(hours) < HOURS)


@dataclass(slots=True)
class _Reader:
    """Reads one file, and knows where it is in it."""

    file: str
    delimiter: str
    line: int = 0  # of which the row that is being read begins
    raw: str = ""  # the text of that row
    header: tuple[str, ...] = ()
    currencies: dict[str, None] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    hours: Hours = field(default_factory=Hours)

    def series(self, stream: Iterator[str], focus: bool, column: str) -> CostSeries:
        rows = self._rows(stream)
        self.header = tuple(name.strip() for name in next(rows, []))
        in_focus = focus or _START in self.header
        read = self._focus(rows, column) if in_focus else self._plain(rows)
        try:
            first, values = by_day(self._counted(read))
        except ValueError as error:
            raise self._problem(str(error)) from error
        if len(self.currencies) > 1:
            raise self._problem(f"has more than one currency: {', '.join(self.currencies)}")
        told = (f"{count:,} rows of {what} are left out" for what, count in self.left_out.items())
        remarks = [*told, *self._of_hours()]
        for day in self.hours.in_part():
            values[(day - first).days] = math.nan
        currency = next(iter(self.currencies), "")
        return CostSeries(first, values, currency, tuple(remarks), self.hours.since(first))

    def _counted(self, charges: Iterator[Charge]) -> Iterator[Charge]:
        for charge in charges:
            self.hours.add(charge)
            yield charge

    def _of_hours(self) -> Iterator[str]:
        if self.hours.by_the_hour and not self.hours.zoned:
            yield "its hours are in no zone, and taken for UTC: where clocks are changed, one is there twice"
        if lacking := self.hours.in_part():
            more = f", and of {len(lacking) - 1} later ones" if len(lacking) > 1 else ""
            count = len(self.hours.known[lacking[0]])
            yield f"{count} of {HOURS} hours of {lacking[0]}{more} are there: what they cost is not known"

    def _rows(self, stream: Iterator[str]) -> Iterator[Sequence[str]]:
        """Rows that are not empty. A cell may hold line ends, so a row is what was read for it."""
        read: list[str] = []

        def lines() -> Iterator[str]:
            for line in stream:
                read.append(line)
                yield line

        table, begins = csv.reader(lines(), delimiter=self.delimiter, strict=True), 1
        try:
            for cells in table:
                self.line, self.raw = begins, "".join(read)
                read.clear()
                begins = table.line_num + 1
                if cells:
                    yield cells
        except csv.Error as error:
            raise BadInput(Problem(f"no CSV: {error}", Location(self.file, begins, 1))) from error

    def _plain(self, rows: Iterator[Sequence[str]]) -> Iterator[Charge]:
        day, amount = self._one_of(_DAYS), self._one_of(_AMOUNTS)
        for cells in rows:
            row = self._named(cells)
            start = self._instant(row[day], day)
            cost = self._number(row[amount], amount)
            if row.get("currency"):
                self.currencies.setdefault(row["currency"])
            if cost is not None:
                yield Charge(start, start, cost)

    def _focus(self, rows: Iterator[Sequence[str]], column: str) -> Iterator[Charge]:
        for name in (column, _START, _END):
            self._one_of((name,))
        for cells in rows:
            row = self._named(cells)
            category = row.get(_CATEGORY) or USAGE
            if row.get(_CLASS) not in (None, *_NOTHING):
                self.left_out[f"{_CLASS} {row[_CLASS]}"] += 1
                continue
            if category != USAGE:
                self.left_out[f"{_CATEGORY} {category}"] += 1
                continue
            start, end = self._instant(row[_START], _START), self._instant(row[_END], _END)
            if end < start:
                raise self._problem(f"{_END} lies before {_START}", _END)
            cost = self._number(row[column], column)
            if cost is None:
                raise self._problem(f"{column} is empty", column)
            if row.get(_CURRENCY):
                self.currencies.setdefault(row[_CURRENCY])
            yield Charge(start, end, cost)

    def _one_of(self, names: Sequence[str]) -> str:
        """Which of these columns the file has. Raises BadInput when it has none."""
        found = next((name for name in self.header if name in names or name.lower() in names), None)
        if found is None:
            wanted = " or ".join(f"'{name}'" for name in names)
            raise self._problem(f"has no column {wanted}{nearest(names[0], self.header)}")
        return found

    def _named(self, cells: Sequence[str]) -> Mapping[str, str]:
        if len(cells) != len(self.header):
            told = f"{len(self.header)} columns are expected, and there are {len(cells)}"
            raise self._problem(told)
        return dict(zip(self.header, map(str.strip, cells), strict=True))

    def _instant(self, text: str, column: str) -> datetime:
        """In UTC; one without a zone is meant so."""
        try:
            instant = datetime.fromisoformat(text)
            self.hours.zoned &= instant.tzinfo is not None
            return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:  # with a zone, the first and the last hours of all years
            told = f"'{text[:_LONGEST_CELL]}' is no date such as 2026-10-01 or 2026-10-01T00:00:00Z"
            raise self._problem(told, column) from error

    def _number(self, text: str, column: str) -> float | None:
        """None for an empty cell: nothing is known then, which is not the same as zero."""
        if text in _NOTHING:
            return None
        try:
            number = float(text) if "_" not in text else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self._problem(f"'{text[:_LONGEST_CELL]}' is no amount such as 12.50", column)
        return number

    def _problem(self, message: str, column: str = "") -> BadInput:
        """At the row that is being read; of a `column`, where its cell begins."""
        at = self._begins(self.header.index(column)) if column else 1
        shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in message)
        return BadInput(Problem(shown, Location(self.file, self.line or 1, at)))

    def _begins(self, cell: int) -> int:
        """Where in its row a cell begins, from 1: after that many delimiters that stand in no quotes."""
        quoted, seen = False, 0
        for position, sign in enumerate(self.raw):
            if seen == cell:
                return position + 1
            quoted ^= sign == '"'
            seen += sign == self.delimiter and not quoted
        return 1


def focus_rows(series: CostSeries, service: str = "Compute") -> Iterator[str]:
    """The lines of a FOCUS export with one charge of usage a day; a day without a value has no line."""
    yield f"BilledCost,{_CURRENCY},{_CATEGORY},{_CLASS},{_END},{_START},ServiceName"
    for index, value in enumerate(series.values.tolist()):
        if math.isfinite(value):
            start, end = series.day(index), series.day(index) + timedelta(days=1)
            period = f"{end}T00:00:00Z,{start}T00:00:00Z"
            yield f"{value:.2f},{series.currency},{USAGE},,{period},{service}"
