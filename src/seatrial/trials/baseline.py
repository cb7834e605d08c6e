"""A run beside those that are on record of the same experiment, target and rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatrial.extras import TRENDS
from seatrial.model.problems import Unavailable
from seatrial.report.comparison import AgainstBaseline, Comparison, Conditions, compared
from seatrial.report.course import FEWEST_EARLIER, MOST_RUNS, Point, courses
from seatrial.store import Measured, Store
from seatrial.trials.lookup import FoundRun, on_record

LOOKED_AT = 5 * MOST_RUNS
"""So many earlier runs, of which some were made under other conditions."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run was compared with. `note`: why not with all before it; "" when it was."""

    found: AgainstBaseline | Comparison
    note: str = ""


def against_earlier(
    store: Store, run: FoundRun, course: Mapping[str, Sequence[Measured]] | None = None
) -> Baseline:
    """Compare a run with those before it; with the one before it where they are too few for more.

    `course`: what `History.course` found of the last `LOOKED_AT` before it, where that is known; what it
    tells of later runs is left out. Raises Unavailable when there is none, or the statistics are not
    installed.
    """
    result, conditions = run.result, run.conditions
    before = datetime.fromisoformat(result.started_at)
    if course is None:
        course = store.history.course(result.experiment, result.target, before=before, limit=LOOKED_AT)
    measured = {name: [each for each in some if each.started_at < before] for name, some in course.items()}
    earlier = {point.run: point for points in measured.values() for point in points}
    alike = {name for name, point in earlier.items() if _alike(conditions, point)}
    if not alike:
        others = (
            f"; {len(earlier)} were made at another rate or of another experiment file" if earlier else ""
        )
        raise Unavailable(
            f"no earlier run of {result.experiment} on {result.target} at this rate is on record{others}"
        )
    if len(alike) < FEWEST_EARLIER:
        last = max((earlier[name] for name in alike), key=lambda point: (point.started_at, point.run))
        other = on_record(store, last.run)
        note = f"a trend takes {FEWEST_EARLIER} earlier runs, and {len(alike)} are there"
        return Baseline(compared(other.result, result, (other.conditions, conditions)), note)
    TRENDS.require("comparing with many runs")
    points = {name: [_point(each) for each in some if each.run in alike] for name, some in measured.items()}
    told, too_few = {}, []
    for one in result.objectives:
        if one.lower is None:
            continue
        upper = math.inf if one.upper is None else one.upper
        line = [*points.get(one.name, ()), Point(result.run, before, one.lower, upper)]
        if len(line) > FEWEST_EARLIER:
            told[one.name] = (one.unit, line)
        else:
            too_few.append(one.name)
    left_out = len(earlier) - len(alike)
    return Baseline(AgainstBaseline(result, tuple(courses(told)), tuple(too_few), left_out))


def _alike(conditions: Conditions, point: Measured) -> bool:
    same_file = point.origin.experiment_sha256 == conditions.experiment_sha256
    return same_file and point.origin.rate == conditions.rate


def _point(each: Measured) -> Point:
    lower, upper = each.objective.lower, each.objective.upper
    assert lower is not None  # which `History.course` promises
    return Point(each.run, each.started_at, lower, math.inf if upper is None else upper)
