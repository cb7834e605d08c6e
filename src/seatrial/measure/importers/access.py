"""nginx and Apache: access logs, in the combined or common format or in one that is told (`--log-format`).

**Instants.** nginx writes a line when a request is over: its instants are ends. Apache's `%t` is when the
request came. The combined format looks the same of both, so unless the format is told, or what stands behind
it is nginx's alone, an instant may be either. With R the clock's resolution, 1 s for dates and 1 ms for
`$msec`, and d ± u how long the request took (`$request_time`, `%D` …):

    ends told:     ended in [t, t + R)    sent = ended - d is in [t - d - u, t - d + R + u)
    begins told:   sent in [t, t + R)     ended = sent + d is in [t + d - u, t + d + R + u)
    no length:     sent is up to a deadline earlier, or ended up to a deadline later; if t may be either, both

$request_time is the difference of two instants that were both cut to 1 ms, so u is 1 ms; %D is exact to 1 µs,
and a length in whole seconds is cut, so that d* is in [d, d + 1 s) and u is 1 s.

**Good** is an answer below 500. nginx's 499 says that the client went away before it had one: bad, but by the
client's own doing (see `haproxy`).

Behind a combined line people put what they like. Three decimals are nginx's: ten digits before them make
`$msec`, fewer `$request_time`, and of several the longest (`$upstream_response_time` is part of it). A bare
integer may be microseconds, seconds or bytes; it is not read unless the format is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from seatrial.measure.generator import ANSWERED_ALONE
from seatrial.measure.importers.access_formats import GUESSED, LineFormat, line_format
from seatrial.measure.importers.importer import Imported, Importer, Source
from seatrial.measure.importers.lined import SERVER_SIDE, Dates, Rows, zones
from seatrial.model.exactness import Exactness
from seatrial.model.ownfailure import CLIENT

_FIRST = re.compile(rf"{GUESSED.pattern.pattern.replace('[^]]*', '[^]]+')}")
_CLF_START = re.compile(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d")
_MSEC = re.compile(r"(?<![\d.])(\d{10}\.\d{3})(?![\d.])")
_TOOK = re.compile(r"(?<![\d.])(\d{1,6}\.\d{3})(?![\d.])")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_UNIT_S = {"took_s": 1.0, "took_ms": 1e-3, "took_us": 1e-6, "took_whole_s": 1.0}
_UNSURE_S = {"took_s": 1e-3, "took_ms": 1e-3, "took_us": 1e-6, "took_whole_s": 1.0}
_EPOCH_S = {"epoch_s": 1.0, "epoch_ms": 1e-3, "epoch_us": 1e-6}
_FRACTION_S = {"frac_ms": 1e-3, "frac_us": 1e-6}
_EITHER = (
    "this log does not say whether its instants are the beginnings of requests (Apache) or their ends "
    "(nginx); "
    "--log-format nginx or apache does"
)
_NO_LENGTH = (
    "this log does not tell how long requests took, so no answer can be called too late: each is taken to "
    "have taken "
    "the deadline at the most, and every bound is as much wider; log $request_time or %D"
)
_WHOLE_SECONDS = (
    "the instants of this log are whole seconds, and every bound is as much wider; log $msec or %{msec}t"
)


@dataclass(frozen=True, slots=True)
class _Instant:
    """What a line says of its instants, in seconds."""

    at_s: float
    took_s: float | None
    resolution_s: float
    unsure_s: float = 0.0


class AccessImporter(Importer):
    """One line a request, in the order in which they ended."""

    name = "access"

    def recognises(self, source: Source) -> bool:
        """A first line in the combined or common format."""
        found = _FIRST.fullmatch(source.first_line)
        return found is not None and _CLF_START.match(found["clf"]) is not None

    def read(self, source: Source) -> Imported:
        """Raises BadInput with the number of a line that is not in the format."""
        told = source.told.log_format
        reading = _Reading(source, line_format(told) if told else GUESSED, Rows.of(source.told))
        for number, line in source.lines():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text.strip():
                reading.add(text, number)
        log = reading.rows.log(source)
        warnings = (SERVER_SIDE, *reading.said())
        zero, zoned = reading.rows.zero_unix_s, not reading.dates.zoneless
        return Imported(
            log, self.name, ANSWERED_ALONE, warnings, exact=reading.exact(), zero_unix_s=zero, zoned=zoned
        )


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    source: Source
    format: LineFormat
    rows: Rows = field(default_factory=Rows)
    dates: Dates = field(default_factory=Dates)
    widest: _Instant = _Instant(0.0, 0.0, 0.0)
    lengths: int = 0
    request_of: Callable[[re.Match[str]], str] = field(init=False)

    def __post_init__(self) -> None:
        self.request_of = _whole if self.format.has("request") else _of_parts

    def add(self, text: str, number: int) -> None:
        """One line. Raises BadInput."""
        found = self.format.pattern.fullmatch(text)
        try:
            if found is None:
                raise ValueError(f"is not in the format of this access log: {text[:80]!r}")
            instant = self._instant(found)
            status = int(found["status"]) if found["status"] not in ("-", "", "000") else 0
        except (ValueError, OverflowError) as error:
            raise self.source.problem(str(error), number) from error
        self._keep(instant)
        took = instant.took_s or 0.0
        begins = self.format.stamp == "begin"
        rows = self.rows
        rows.sent.append(instant.at_s if begins else instant.at_s - took)
        rows.ended.append(instant.at_s + took if begins else instant.at_s)
        why = _error(status)
        rows.ok.append(not why)
        rows.status.append(min(max(status, 0), 999))
        rows.line.append(number)
        rows.name.add(self.request_of(found))
        rows.error.add(why)
        rows.served_by.add(found["served_by"] if self.format.has("served_by") else "")

    def _keep(self, instant: _Instant) -> None:
        """The least exact line decides for all."""
        self.lengths += instant.took_s is not None
        widest = self.widest
        if instant.resolution_s > widest.resolution_s or instant.unsure_s > widest.unsure_s:
            resolution_s = max(instant.resolution_s, widest.resolution_s)
            self.widest = replace(
                widest, resolution_s=resolution_s, unsure_s=max(instant.unsure_s, widest.unsure_s)
            )

    def _instant(self, found: re.Match[str]) -> _Instant:
        groups = found.groupdict()
        if "rest" in groups:
            return self._guessed(groups["clf"], groups["rest"])
        took_s, unsure_s = _length(groups)
        for role, unit_s in _EPOCH_S.items():
            if role in groups:
                resolution_s = 1e-3 if role == "epoch_s" and "." in groups[role] else unit_s
                return _Instant(float(groups[role]) * unit_s, took_s, resolution_s, unsure_s)
        at_s, resolution_s = self._date(groups)
        for role, unit_s in _FRACTION_S.items():
            if role in groups:
                return _Instant(at_s + int(groups[role]) * unit_s, took_s, unit_s, unsure_s)
        return _Instant(at_s, took_s, resolution_s, unsure_s)

    def _date(self, groups: dict[str, str]) -> tuple[float, float]:
        if "clf" in groups:
            return self.dates.seconds(groups["clf"]), 1e-3 if "." in groups["clf"] else 1.0
        at = datetime.fromisoformat(groups["iso"].strip())
        self.dates.zoned |= at.tzinfo is not None
        self.dates.zoneless |= at.tzinfo is None
        fraction_s = 1e-3 if "." in groups["iso"] or "," in groups["iso"] else 1.0
        return at.timestamp() if at.tzinfo else self.dates.seconds(f"{at:%d/%b/%Y:%H:%M:%S.%f}"), fraction_s

    def _guessed(self, clf: str, rest: str) -> _Instant:
        """A combined line, and what stands behind it."""
        at_s = self.dates.seconds(clf)
        if "." not in rest:
            return _Instant(at_s, None, 1.0)
        behind = _QUOTED.sub(" ", rest, count=2)
        msec = _MSEC.search(behind)
        took = _TOOK.findall(behind)
        length_s = max(map(float, took)) if took else None
        if msec:
            return _Instant(float(msec[1]), length_s, 1e-3, 1e-3)
        return _Instant(at_s, length_s, 1.0, 1e-3 if took else 0.0)

    def _told_lengths(self) -> bool:
        return self.lengths == len(self.rows)

    def _stamp(self) -> str:
        """Three decimals behind a combined line are nginx's, whose instants are ends."""
        return "end" if self.format.stamp == "either" and self.lengths else self.format.stamp

    def exact(self) -> Exactness:
        """How exact the log is: see the top of this file."""
        resolution_s, unsure_s = self.widest.resolution_s, self.widest.unsure_s
        stamp = self._stamp()
        if not self._told_lengths():
            return Exactness(
                sent_late_s=resolution_s,
                ended_late_s=resolution_s,
                begins=stamp == "begin",
                ends=stamp == "end",
            )
        early, late = unsure_s, resolution_s + unsure_s
        if stamp == "begin":
            return Exactness(
                sent_late_s=resolution_s, ended_early_s=early, ended_late_s=late, took_s=unsure_s
            )
        return Exactness(sent_early_s=early, sent_late_s=late, ended_late_s=resolution_s, took_s=unsure_s)

    def said(self) -> Iterator[str]:
        """What a reader must know."""
        yield from zones(self.dates, self.source)
        if self._stamp() == "either":
            yield _EITHER
        if not self._told_lengths():
            yield _NO_LENGTH
        if self.widest.resolution_s >= 1:
            yield _WHOLE_SECONDS


def _length(groups: dict[str, str]) -> tuple[float | None, float]:
    """How long the request took, and how much that is off; None where the line does not tell."""
    for role, unit_s in _UNIT_S.items():
        if role in groups and groups[role] not in ("-", ""):
            took_s = float(groups[role]) * unit_s
            if not 0 <= took_s < 1e9:
                raise ValueError(f"a request cannot take {groups[role][:20]!r}")
            return took_s, _UNSURE_S[role]
    return None, 0.0


def _whole(found: re.Match[str]) -> str:
    return found["request"]


def _of_parts(found: re.Match[str]) -> str:
    groups = found.groupdict()
    return f"{groups.get('method') or ''} {groups.get('path') or ''}".strip()


def _error(status: int) -> str:
    """Why a request is not good; "" if it is."""
    if 100 <= status < 500 and status != 499:
        return ""
    if status == 499:
        return f"{CLIENT}went away before an answer (499)"
    return f"HTTP {status}" if status else "no answer"
