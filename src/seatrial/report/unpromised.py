"""What runs tell beside promises: how soon a fault was noticed, and all was well again, and what it cost.

Nothing is judged on them here: the time to detect has its verdict as the promise that it is, and of a cost
nothing was promised. A run without checks of alerts, or on a target without prices, tells none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seatrial.model.bounds import Bounds
from seatrial.model.figures import UNKNOWN, Shown, interval
from seatrial.model.noticing import Detection
from seatrial.model.pricing import RunCost
from seatrial.model.result import RunResult
from seatrial.report.change import Change, between

MILLION = "cost of a million requests"
"""What it is called wherever it stands beside what was promised."""


@dataclass(frozen=True, slots=True)
class Unpromised:
    """An interval that was measured. `upper` is infinite where no end was seen."""

    name: str
    lower: float
    upper: float
    unit: str  # "s", "ms", or the currency

    @property
    def shown(self) -> Shown:
        """As text."""
        return interval(self.lower, self.upper, self.unit)


@dataclass(frozen=True, slots=True)
class Moved:
    """One of them in two runs. None: it was not measured there."""

    name: str
    before: Unpromised | None
    after: Unpromised | None

    @property
    def change(self) -> Change:
        """How the later stands to the earlier."""
        if self.before is None or self.after is None or self.before.unit != self.after.unit:
            return Change.INCOMPARABLE
        ends = ((each.lower, each.upper) for each in (self.before, self.after))
        return between(*ends, more_is_better=False)


def unpromised(detections: Iterable[Detection], cost: RunCost | None) -> tuple[Unpromised, ...]:
    """What was measured of them, each once, the time to detect before the time to recover."""
    found = {each.name: each for one in detections for each in _times(one)}
    return (*found.values(), *_million(cost))


def moved(before: RunResult, after: RunResult) -> tuple[Moved, ...]:
    """All that either of two runs tells."""
    one, other = (
        {each.name: each for each in unpromised(run.detections, run.cost)} for run in (before, after)
    )
    return tuple(Moved(name, one.get(name), other.get(name)) for name in dict.fromkeys((*one, *other)))


def shown(one: Unpromised | None) -> str:
    """Its interval, in brackets; a dash for what was not measured."""
    return UNKNOWN if one is None else one.shown.bracketed


def million(cost: RunCost | None) -> str:
    """What a million requests cost; a dash where that is not known, and "" without a price."""
    if cost is None:
        return ""
    return str(next((each.shown for each in _million(cost)), UNKNOWN))


def _times(one: Detection) -> Iterator[Unpromised]:
    by = one.alert if one.source == "prometheus" else f"{one.alert}, {one.source}"
    if one.detect is not None:
        yield _time(f"{one.step}: until noticed ({by})", one.detect)
    if one.recover is not None:
        yield _time(f"{one.step}: until well again", one.recover)


def _time(name: str, found: Bounds) -> Unpromised:
    return Unpromised(name, found.lower_s, found.upper_s, "s")


def _million(cost: RunCost | None) -> Iterator[Unpromised]:
    if cost is not None and cost.per_million_lower is not None:
        upper = math.inf if cost.per_million_upper is None else cost.per_million_upper
        yield Unpromised(MILLION, cost.per_million_lower, upper, cost.currency)
