"""Cron's text, with the rules of Debian's cron: five fields, or a word such as `@monthly`.

`cronsim` reads it: names, ranges, steps, Sunday as 0 and 7, `L` (the month's last day), `LW` (its last
weekday), `SUN#1` (the first Sunday), `5L` (the last Friday). When day of month and day of week are both
restricted, either suffices; a field that begins with a star, `*/2` included, restricts nothing. Only days and
times of the wall clock are asked of it: what a clock change does to them is `cadence`'s own rule.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, datetime, time

from cronsim import CronSim, CronSimError

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31, L (the last) or LW (the last weekday)"),
    ("month", "1-12 or jan-dec"),
    ("day of week", "0-7 or sun-sat, sun#1 (the first) or 5L (the last Friday)"),
)
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001  # cron is asked about the wall clock
# a leap day on a given weekday comes within 40 years, across 2100
_SAMPLE = range(date(2024, 1, 1).toordinal(), date(2064, 1, 1).toordinal())


@dataclass(frozen=True, slots=True)
class Cron:
    """The time fields of a crontab line, as written and as understood."""

    text: str

    @classmethod
    def parse(cls, value: object) -> Cron:
        """From `30 2 1-7 * sun` or `@monthly`. Raises ValueError."""
        text = " ".join(str(value).split())
        fields = _WORDS.get(text.lower(), text).split()
        if text.startswith("@") and text.lower() not in _WORDS:
            raise ValueError(
                f"'{text}' is no word of cron's that names a time; there are: {', '.join(_WORDS)}"
            )
        if len(fields) != len(_FIELDS):
            raise ValueError(f"'{text}' is not five cron fields: minute hour day-of-month month day-of-week")
        for index, (name, meant) in enumerate(_FIELDS):
            alone = ["*" if other != index else fields[index] for other in range(len(_FIELDS))]
            if _understood(alone) is None:
                raise ValueError(f"cron {name}: '{fields[index]}' is not within {meant}")
        found = cls(text)
        if _understood(fields) is None or not any(found.matches(date.fromordinal(day)) for day in _SAMPLE):
            raise ValueError(f"'{text}' is never due")
        return found

    def matches(self, day: date) -> bool:
        """Whether anything is due on `day`."""
        rules = _rules(self.text)
        return day.month in rules.months and rules.match_day(day)

    def times(self, day: date) -> list[time]:
        """When it is due on `day`, in order."""
        if not self.matches(day):
            return []
        rules = _rules(self.text)
        return [time(hour, minute) for hour in sorted(rules.hours) for minute in sorted(rules.minutes)]


@functools.lru_cache(maxsize=256)
def _rules(text: str) -> CronSim:
    """The rules that a valid text stands for."""
    return CronSim(_WORDS.get(text.lower(), text), _ANY_DAY)


def _understood(fields: list[str]) -> CronSim | None:
    try:
        return CronSim(" ".join(fields), _ANY_DAY)
    except CronSimError:
        return None
