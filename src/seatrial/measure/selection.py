"""A part of a request log: of some time, of some names, of some answers.

What is left out is not measured, so a selection is told with every figure that comes of it. Time is a window,
whose outside still bears witness of what was well before it; names and answers take rows away. Requests
without an answer have no status, and stay unless `0` is left out: to lose them would hide the worst failures.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration
from seatrial.model.requestlog import Bools, RequestLog

_STATUS = re.compile(r"(!?)(?:(\d{1,3})(?:-(\d{1,3}))?|([1-5])xx)")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that somebody asks for: seconds from the log's first request, or a date."""

    text: str
    after_s: float | None = None
    date: datetime | None = None

    @classmethod
    def parse(cls, option: str, text: str) -> Moment:
        """`90s` or `2026-11-29T03:00:00Z`. Raises BadInput, naming the option."""
        try:
            return cls(text, after_s=Duration.parse(text).seconds)
        except ValueError:
            pass
        try:
            return cls(text, date=datetime.fromisoformat(text))
        except ValueError as error:
            said = "is neither a time from the log's first request (90s) nor a date (2026-11-29T03:00:00Z)"
            raise BadInput(f"{option}: {text!r} {said}") from error

    def seconds(self, option: str, zero_unix_s: float | None, zoned: bool) -> float:
        """On the log's clock. Raises BadInput for a date that cannot be placed there."""
        if self.after_s is not None:
            return self.after_s
        assert self.date is not None
        if zero_unix_s is None:
            raise BadInput(
                f"{option}: this log has no dates; give a time from its first request, such as 90s"
            )
        if zoned and self.date.tzinfo is None:
            raise BadInput(
                f"{option}: {self.text!r} has no time zone and the log's dates have: {self.text}Z is UTC"
            )
        if not zoned and self.date.tzinfo is not None:
            raise BadInput(
                f"{option}: the log's dates have no time zone, so give {option} without one, by its own clock"
            )
        date = self.date if zoned else datetime.fromisoformat(f"{self.date.isoformat()}+00:00")
        return date.timestamp() - zero_unix_s


@dataclass(frozen=True, slots=True)
class Selection:
    """What to measure of a log; everything by default."""

    since: Moment | None = None
    until: Moment | None = None
    names: tuple[str, ...] = ()  # patterns, * for anything; one of them must match
    statuses: tuple[str, ...] = ()  # 200, 500-599, 5xx, or !404 for all but that

    def __post_init__(self) -> None:
        for text in self.statuses:
            if not _STATUS.fullmatch(text):
                raise BadInput(f"--status: {text!r} is none of 200, 500-599, 5xx and !404")

    def window(self, zero_unix_s: float | None, zoned: bool) -> tuple[float | None, float | None]:
        """Start and end on the log's clock, None for its own. Raises BadInput."""
        since = None if self.since is None else self.since.seconds("--since", zero_unix_s, zoned)
        until = None if self.until is None else self.until.seconds("--until", zero_unix_s, zoned)
        if since is not None and until is not None and until <= since:
            raise BadInput("--until is not after --since")
        return since, until

    def of(self, log: RequestLog) -> RequestLog:
        """The rows with these names and answers."""
        if not self.names and not self.statuses:
            return log
        rows: Bools = np.ones(len(log), dtype=np.bool_)
        if self.names:
            rows &= log.name.where(lambda name: any(fnmatchcase(name, each) for each in self.names))
        if self.statuses:
            wanted = np.array([self._wants(status) for status in range(1000)])
            rows &= wanted[np.clip(log.status, 0, 999)]
        return log[rows]

    def _wants(self, status: int) -> bool:
        only = [each for each in self.statuses if not each.startswith("!")]
        without = [each for each in self.statuses if each.startswith("!")]
        wanted = not only or status == 0 or any(_covers(each, status) for each in only)
        return wanted and not any(_covers(each, status) for each in without)

    def document(self) -> dict[str, Any]:
        """What was asked for, as JSON-ready data."""
        return {
            "since": self.since.text if self.since else None,
            "until": self.until.text if self.until else None,
            "names": list(self.names),
            "statuses": list(self.statuses),
        }

    def said(self, kept: int, whole: int) -> tuple[str, ...]:
        """What a reader must know."""
        if kept == whole:
            return ()
        return (f"{kept:,} of {whole:,} requests are measured: those of the names and answers asked for",)


def _covers(text: str, status: int) -> bool:
    found = _STATUS.fullmatch(text)
    assert found is not None
    if found[4]:
        return status // 100 == int(found[4])
    low = int(found[2])
    return low <= status <= (int(found[3]) if found[3] else low)


def instant_of(zero_unix_s: float | None, zoned: bool) -> str | None:
    """When second 0 of a log was, as RFC 3339 (without a zone if the log has none); None without dates."""
    if zero_unix_s is None or not math.isfinite(zero_unix_s):
        return None
    try:
        text = datetime.fromtimestamp(zero_unix_s, tz=UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return None
    return text.replace("+00:00", "Z") if zoned else text.removesuffix("+00:00")
