"""Numbers as people read them, rounded so that they cannot contradict the verdict beside them.

Bounds are rounded outwards (lower down, upper up): an interval that is printed must still hold the true
value. Where rounding would carry a bound to the other side of its target, more decimals are shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.model.result import Bounds, ObjectiveResult

UNKNOWN = "–"
NOT_MEASURED = "not measured"
_MOST_DECIMALS = 9
_UNITS = ("per_min", "per_s", "ms", "ratio", "s")
_BEHIND = {"ms": (1.0, " ms"), "ratio": (100.0, "%"), "per_s": (1.0, "/s"), "per_min": (1.0, "/min")}
_FUZZ = 1e-9  # 1.15 * 100 is 114.99999999999999; a bound may not move a whole last digit for that


@dataclass(frozen=True, slots=True)
class Shown:
    """A number or an interval as text; `unit` follows the last of them, with its space.

    `lower == upper` for a number. `upper` is "" when there is no upper bound: the end was never seen.
    """

    lower: str
    upper: str
    unit: str

    def __str__(self) -> str:
        if not self.upper:  # zero or more is no more than is known of anything
            return "not known" if self.lower == "0" else f"{self.lower}{self.unit} or more"
        return (
            self.lower + self.unit if self.lower == self.upper else f"{self.lower} … {self.upper}{self.unit}"
        )

    @property
    def bracketed(self) -> str:
        """`[1.20, 1.24] s`, `[1.20, ∞) s`."""
        if not self.upper:
            return f"[{self.lower}, ∞){self.unit}"
        return (
            self.lower + self.unit if self.lower == self.upper else f"[{self.lower}, {self.upper}]{self.unit}"
        )


def at_least(unit: str) -> bool:
    """Whether a target in this unit is a lowest allowed value (a rate) rather than a highest one."""
    return unit == "per_s"


def interval(lower: float, upper: float, unit: str, target: float | None = None) -> Shown:
    """The interval, three significant digits or as many as its width and its target need.

    `unit` is one of s, ms, ratio, per_s. A number is an interval with equal ends; `upper` may be infinite,
    and of an infinite number nothing is known.
    """
    lower = lower if math.isfinite(lower) else 0.0
    bounded = math.isfinite(upper)
    factor, suffix = _unit(unit, max(abs(lower), abs(upper)) if bounded else abs(lower))
    low, high = lower * factor, upper * factor
    goal = None if target is None else target * factor
    decimals = _decimals(low, high if bounded else low)
    while decimals < _MOST_DECIMALS and goal is not None:
        if _same_side((low, high), _rounded(low, high, decimals), goal):
            break
        decimals += 1
    low_text, high_text = (f"{end:,.{decimals}f}" if end else "0" for end in _rounded(low, high, decimals))
    return Shown(low_text, high_text if bounded else "", suffix)


def bounds(found: Bounds) -> Shown:
    """An interval of time."""
    return interval(found.lower_s, found.upper_s, "s")


def measured(objective: ObjectiveResult) -> Shown | None:
    """What was measured of an objective. With a lower end alone, the end was never seen."""
    if objective.lower is None:
        return None
    upper = math.inf if objective.upper is None else objective.upper
    return interval(objective.lower, upper, objective.unit, objective.target)


def number(value: float, unit: str) -> str:
    """One value with its unit, three significant digits."""
    return str(interval(value, value, unit))


def exactly(value: float, unit: str) -> str:
    """A value that somebody wrote, such as a target, without rounding it to three digits."""
    factor, suffix = _unit(unit, abs(value))
    return f"{value * factor:,.9g}{suffix}"


def allowed(target: float, unit: str) -> str:
    """A target with its direction: `≤ 5 s`, `≥ 150/s`."""
    return f"{'≥' if at_least(unit) else '≤'} {exactly(target, unit)}"


def seconds(value: float) -> str:
    """A length of time."""
    return number(value, "s")


def span(length_s: float) -> str:
    """A length of time as one waits for it: `12 s`, `3 min`, `2 h 5 min`."""
    if length_s < 99.5:
        return f"{max(length_s, 0.0):.0f} s"
    hours, minutes = divmod(round(length_s / 60), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))


def instant(at_s: float | None) -> str:
    """A point on the run's time axis, to the millisecond; a dash for one that nobody knows."""
    return UNKNOWN if at_s is None else f"{at_s:,.3f} s"


def named(name: str, value: float) -> str:
    """A figure by its name, in which its unit stands: `agreed_after_s`, 0.05 is `agreed after 50 ms`."""
    unit = next((unit for unit in _UNITS if name.endswith(f"_{unit}")), "")
    words = name.removesuffix(f"_{unit}").replace("_", " ")
    if not math.isfinite(value):
        return f"{words} {UNKNOWN}"
    return f"{words} {number(value, unit) if unit else f'{value:,.9g}'}"


def count(value: int | None) -> str:
    """A count with its thousands set apart; a dash for one that nobody knows."""
    return UNKNOWN if value is None else f"{value:,}"


def rate(per_s: float | None) -> str:
    """A rate; a dash for one that nobody knows."""
    return UNKNOWN if per_s is None else number(per_s, "per_s")


def per_minute(per_s: float | None) -> str:
    """A rate as people speak of load; a dash for one that nobody knows."""
    return UNKNOWN if per_s is None else number(per_s * 60, "per_min")


def milliseconds(value: float | None) -> str:
    """A time in milliseconds; a dash for one that nobody knows."""
    return UNKNOWN if value is None else number(value, "ms")


def latency(
    value_ms: float | None,
    answers: int | None,
    at_least_from_ms: float | None = None,
    off_by_ms: float = 0.0,
) -> str:
    """A percentile as far as it is known: `3.48 ms`, `≥ 2,000 ms`, `too few (9) to tell`, `[0, 1,000] ms`.

    `answers`: how many latencies it is of. `at_least_from_ms`: from there on it is a lower bound.
    `off_by_ms`: how far from the truth it may be.
    """
    if value_ms is None:
        return f"too few ({count(answers)}) to tell" if answers else UNKNOWN
    at_least = at_least_from_ms is not None and value_ms >= at_least_from_ms
    if off_by_ms:
        upper_ms = math.inf if at_least else value_ms + off_by_ms
        return interval(max(value_ms - off_by_ms, 0.0), upper_ms, "ms").bracketed
    return ("≥ " if at_least else "") + number(value_ms, "ms")


def share(value: float) -> str:
    """A share as per cent; a share below one is never shown as 100%, nor one above zero as 0%."""
    percent = value * 100
    if not 0 < value < 1:
        return f"{percent:.0f}%"
    digits = 2
    while digits < _MOST_DECIMALS and float(f"{percent:.{digits}f}") in (0.0, 100.0):
        digits += 1
    return f"{percent:.{digits}f}%"


def _unit(unit: str, largest: float) -> tuple[float, str]:
    """What to multiply by, and what to write behind."""
    if unit == "s":
        return (1000.0, " ms") if 0 < largest < 1 else (1.0, " s")
    return {"ms": (1.0, " ms"), "ratio": (100.0, "%"), "per_s": (1.0, "/s"), "per_min": (1.0, "/min")}.get(
        unit, (1.0, f" {unit}")
    )


def _decimals(low: float, high: float) -> int:
    """Three significant digits of the larger end, or enough to see the width."""
    largest, width = max(abs(low), abs(high)), high - low
    needed = 2 - math.floor(math.log10(largest)) if largest > 0 else 0
    if width > 0:
        needed = max(needed, -math.floor(math.log10(width)))
    return min(max(needed, 0), 4)


def _rounded(low: float, high: float, decimals: int) -> tuple[float, float]:
    if low == high:
        return round(low, decimals), round(high, decimals)
    step = 10.0**decimals
    ceiling = math.ceil(high * step - _FUZZ) / step if math.isfinite(high) else high
    return math.floor(low * step + _FUZZ) / step, ceiling


def _same_side(exact: tuple[float, float], shown: tuple[float, float], goal: float) -> bool:
    """Whether each end as shown is above, at or below the target just when it truly is."""
    pairs = zip(exact, shown, strict=True)
    return all((true > goal) == (seen > goal) and (true < goal) == (seen < goal) for true, seen in pairs)
