"""Rules by which events recur (RRULE; RFC 5545, section 3.3.10), made safe to expand.

What a rule may cost is bounded here, because a rule that is due each second, or never, would keep whoever
expands it busy for ever. And UNTIL is brought into the one form that the standard allows: exporters write a
date where a time belongs, and the last occurrence would be lost.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from dateutil.rrule import rrulestr
from icalendar import vRecur

_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_LARGEST = {"BYSECOND": 59, "BYMINUTE": 59, "BYHOUR": 23, "BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366,
            "BYWEEKNO": 53, "BYSETPOS": 366, "BYDAY": 53}  # fmt: skip
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", *_LARGEST})
_MOST_A_DAY = 24
_LAST_TIME = time(23, 59, 59)


def normal_rule(rule: Any, start: date, zone: tzinfo) -> vRecur:
    """The same rule, with UNTIL as the kind of time that `start` is. Raises ValueError if it is not taken.

    `zone`: of times without one.
    """
    unknown = sorted(set(rule) - _KNOWN)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not read here")
    frequency = str(_one(rule, "FREQ")).upper()
    if frequency not in _FREQUENCIES:
        raise ValueError(
            f"an event that recurs {frequency or 'without FREQ'} is not taken; the shortest step is DAILY "
            "(write it into the schedule: never: [{days: mon-fri, from: '12:00', to: '13:00'}])"
        )
    if any(int(str(_one(rule, name, 1))) < 1 for name in ("INTERVAL", "COUNT")):
        raise ValueError("INTERVAL and COUNT must be at least 1")
    for name, largest in _LARGEST.items():
        if any(abs(number) > largest for number in map(_ordinal, rule.get(name, []))):
            raise ValueError(f"{name} goes up to {largest}")
    if math.prod(len(rule.get(name, [0])) for name in ("BYHOUR", "BYMINUTE", "BYSECOND")) > _MOST_A_DAY:
        raise ValueError(f"more than {_MOST_A_DAY} occurrences a day are not taken")
    until = _one(rule, "UNTIL", None)
    normal = vRecur({name: value for name, value in rule.items() if name != "UNTIL"})
    _check_is_ever_due(normal, start)
    if until is not None:
        normal["UNTIL"] = [_until(until, start, zone)]
    return normal


def _one(rule: vRecur, name: str, otherwise: object = "") -> object:
    """A part of a rule that must have one value."""
    value = rule.get(name, otherwise)
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        raise ValueError(f"{name} has {len(value)} values")
    found: object = value[0]
    return found


def _ordinal(value: object) -> int:
    """The number in one value of a part: of `-1FR` it is -1, of `FR` nothing."""
    return int(str(value).rstrip("MOTUWEHFRSA") or 0)


def _until(until: object, start: date, zone: tzinfo) -> date:
    """UNTIL as section 3.3.10 wants it: a date for dates, UTC for times in a zone, local for those without.

    A date where a time belongs means the whole of that day.
    """
    if not isinstance(until, date):
        raise ValueError(f"UNTIL: '{until}' is not a date or a time")
    where = (start.tzinfo if isinstance(start, datetime) else None) or zone
    local = until if isinstance(until, datetime) else datetime.combine(until, _LAST_TIME)
    aware = local if local.tzinfo is not None else local.replace(tzinfo=where)
    if not isinstance(start, datetime):
        return aware.astimezone(where).date() if isinstance(until, datetime) else until
    return aware.astimezone(UTC) if start.tzinfo is not None else aware.astimezone(where).replace(tzinfo=None)


def _check_is_ever_due(rule: vRecur, start: date) -> None:
    """Raise ValueError for a rule without occurrences, such as each 30 February.

    The calendar repeats itself after 400 years to the day of the week, and the search for the next occurrence
    ends with the year 9999. So the rule is asked as if it began in that calendar's last such period: the
    answer is the same, and a search in vain is a short one.
    """
    begins = datetime.combine(start, time())
    late = begins.replace(year=begins.year + (9999 - begins.year) // 400 * 400)
    if begins.year > 9200 or begins.year < 1601:
        raise ValueError(f"the year {begins.year} is not one of a calendar")
    unbounded: Any = vRecur({name: value for name, value in rule.items() if name != "COUNT"})
    text = str(unbounded.to_ical(), "utf-8")
    if next(iter(rrulestr(text, dtstart=late)), None) is None:
        raise ValueError(f"'{text}' is never due")
