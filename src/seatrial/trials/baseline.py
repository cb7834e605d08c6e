"""A run beside those that are on record of the same experiment, target and rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatrial.extras import TRENDS
from seatrial.model.problems import Unavailable
from seatrial.model.result import RunResult
from seatrial.report.comparison import AgainstBaseline, Comparison, Conditions, compared
from seatrial.report.course import FEWEST_EARLIER, MOST_RUNS, Point, courses
from seatrial.report.unpromised import unpromised
from seatrial.store import Measured, Origin, Store, Unpromised
from seatrial.trials.lookup import FoundRun, on_record

LOOKED_AT = 5 * MOST_RUNS
"""So many earlier runs, of which some were made under other conditions."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run was compared with. `note`: why not with all before it; "" when it was."""

    found: AgainstBaseline | Comparison
    note: str = ""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What `History.course` and `History.unpromised` found of the last `LOOKED_AT` runs."""

    course: Mapping[str, Sequence[Measured]]
    unpromised: Sequence[Unpromised]

    @classmethod
    def of(cls, store: Store, experiment: str, target: str, before: datetime | None = None) -> OnRecord:
        """The latest runs. `before`: only those that started before it."""
        history = store.history
        limit = LOOKED_AT if before else LOOKED_AT + 1  # the latest, and those before it
        return cls(
            history.course(experiment, target, before=before, limit=limit),
            history.unpromised(experiment, target, before=before, limit=limit),
        )

    def before(self, instant: datetime) -> OnRecord:
        """What it tells of runs that started earlier."""
        earlier = {
            name: [each for each in some if each.started_at < instant] for name, some in self.course.items()
        }
        return OnRecord(earlier, [each for each in self.unpromised if each.started_at < instant])

    def runs(self) -> dict[str, tuple[datetime, Origin]]:
        """When each that measured something started, and where it comes from."""
        told: list[Measured | Unpromised] = [each for some in self.course.values() for each in some]
        told += [each for each in self.unpromised if unpromised(each.detections, each.cost)]
        return {each.run: (each.started_at, each.origin) for each in told}

    def points(self, alike: set[str]) -> dict[tuple[str, str], list[Point]]:
        """What was measured of each objective, and beside them, by its name and unit: the earliest first.

        `alike`: runs that count.
        """
        found: dict[tuple[str, str], list[Point]] = {}
        for some in self.course.values():
            for one in (each for each in some if each.run in alike):
                found.setdefault((one.objective.name, one.objective.unit), []).append(_point(one))
        for run in (each for each in self.unpromised if each.run in alike):
            for name, unit, point in _unpromised(run.run, run.started_at, run):
                found.setdefault((name, unit), []).append(point)
        return found


def against_earlier(store: Store, run: FoundRun, known: OnRecord | None = None) -> Baseline:
    """Compare a run with those before it; with the one before it where they are too few for more.

    `known`: what is on record, if somebody has asked already; what it tells of later runs is left out. Raises
    Unavailable when there is none, or the statistics are not installed.
    """
    result, conditions = run.result, run.conditions
    before = datetime.fromisoformat(result.started_at)
    known = known.before(before) if known else OnRecord.of(store, result.experiment, result.target, before)
    earlier = known.runs()
    alike = {name for name, (_, origin) in earlier.items() if _alike(conditions, origin)}
    if not alike:
        others = (
            f"; {len(earlier)} were made at another rate or of another experiment file" if earlier else ""
        )
        raise Unavailable(
            f"no earlier run of {result.experiment} on {result.target} at this rate is on record{others}"
        )
    if len(alike) < FEWEST_EARLIER:
        other = on_record(store, max(alike, key=lambda name: (earlier[name][0], name)))
        note = f"a trend takes {FEWEST_EARLIER} earlier runs, and {len(alike)} are there"
        return Baseline(compared(other.result, result, (other.conditions, conditions)), note)
    TRENDS.require("comparing with many runs")
    points = known.points(alike)
    promised: dict[str, tuple[str, list[Point]]] = {}
    beside: dict[str, tuple[str, list[Point]]] = {}
    too_few = []
    for is_promised, name, unit, point in _measured(result, before):
        line = [*points.get((name, unit), ()), point]
        if len(line) > FEWEST_EARLIER:
            (promised if is_promised else beside)[name] = (unit, line)
        else:
            too_few.append(name)
    found = {course.name: course for course in courses({**beside, **promised})}  # which share one error rate
    told, other_told = (tuple(found[name] for name in some) for some in (promised, beside))
    return Baseline(AgainstBaseline(result, told, tuple(too_few), len(earlier) - len(alike), other_told))


def _alike(conditions: Conditions, origin: Origin) -> bool:
    return (origin.experiment_sha256, origin.rate) == (conditions.experiment_sha256, conditions.rate)


def _measured(result: RunResult, at: datetime) -> Iterator[tuple[bool, str, str, Point]]:
    """Each figure of a run: whether it was promised, its name, its unit, and what was measured."""
    for one in result.objectives:
        if one.lower is not None:
            upper = math.inf if one.upper is None else one.upper
            yield True, one.name, one.unit, Point(result.run, at, one.lower, upper)
    for name, unit, point in _unpromised(result.run, at, result):
        yield False, name, unit, point


def _unpromised(run: str, at: datetime, told: RunResult | Unpromised) -> Iterator[tuple[str, str, Point]]:
    for one in unpromised(told.detections, told.cost):
        yield one.name, one.unit, Point(run, at, one.lower, one.upper)


def _point(each: Measured) -> Point:
    lower, upper = each.objective.lower, each.objective.upper
    assert lower is not None  # which `History.course` promises
    return Point(each.run, each.started_at, lower, math.inf if upper is None else upper)
