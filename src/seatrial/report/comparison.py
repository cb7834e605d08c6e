"""Two runs of one experiment side by side, or one beside all before it: did anything really change?

Two runs are compared by their intervals, which are those of measuring. What one run differs from the next by
itself only many runs can tell (see `course`); where there are enough on record, they are asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from seatrial.model.figures import UNKNOWN, allowed, interval, number
from seatrial.model.result import ObjectiveResult, RunResult, plain
from seatrial.model.verdict import Verdict
from seatrial.report.change import Change, change, verdict_of
from seatrial.report.course import FALSE_ALARMS, Course
from seatrial.report.sentences import run_cost
from seatrial.report.terminal import verdict_text
from seatrial.report.unpromised import Moved, moved, shown
from seatrial.report.views import measured_text

_STYLE = {Change.BETTER: "green", Change.WORSE: "red"}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must be the same for two runs to be compared, as far as it is known ("": it is not)."""

    experiment: str
    target: str
    rate: str = ""
    experiment_sha256: str = ""

    def differences(self, other: Conditions) -> Iterator[str]:
        """What keeps a difference from being one of the target."""
        for what, mine, its in (
            ("experiments", self.experiment, other.experiment),
            ("targets", self.target, other.target),
            ("rates", self.rate, other.rate),
        ):
            if mine != its:
                yield f"different {what}: {mine or 'unknown'} and {its or 'unknown'}"

    def remarks(self, other: Conditions) -> Iterator[str]:
        """What may explain a difference, and does not forbid to look for one."""
        known = self.experiment_sha256 and other.experiment_sha256
        if known and self.experiment_sha256 != other.experiment_sha256:
            yield "the experiment file was changed between them"


@dataclass(frozen=True, slots=True)
class Compared:
    """One objective of two runs."""

    name: str
    before: ObjectiveResult | None
    after: ObjectiveResult | None
    change: Change


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. With `differences` they are no trial of the same thing, and nothing fails for it."""

    before: RunResult
    after: RunResult
    objectives: tuple[Compared, ...]
    differences: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def unpromised(self) -> tuple[Moved, ...]:
        """What either tells beside its promises; nothing fails for it."""
        return moved(self.before, self.after)

    @property
    def verdict(self) -> Verdict:
        """Fail: worse. Unknown: nothing could be compared."""
        return Verdict.UNKNOWN if self.differences else verdict_of(each.change for each in self.objectives)


@dataclass(frozen=True, slots=True)
class AgainstBaseline:
    """A run beside those before it. `left_out`: earlier runs under other conditions.

    `unpromised`: what is told beside the promises; nothing fails for it.
    """

    run: RunResult
    courses: tuple[Course, ...]
    too_few: tuple[str, ...]  # objectives that too few of them measured
    left_out: int = 0
    unpromised: tuple[Course, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail: worse. Unknown: nothing could be compared."""
        return verdict_of(course.change for course in self.courses)


def compared(
    before: RunResult, after: RunResult, conditions: tuple[Conditions, Conditions] | None = None
) -> Comparison:
    """Objective by objective. Without `conditions`, those that the results tell."""
    first, second = conditions or (_told(before), _told(after))
    one = {each.name: each for each in before.objectives}
    other = {each.name: each for each in after.objectives}
    rows = (
        Compared(name, one.get(name), other.get(name), change(one.get(name), other.get(name)))
        for name in dict.fromkeys((*one, *other))
    )
    return Comparison(
        before, after, tuple(rows), tuple(first.differences(second)), tuple(first.remarks(second))
    )


def compare(found: Comparison) -> RenderableType:
    """Both intervals of each objective, and whether they overlap or are clearly different."""
    table = _table("objective", "target", "A", "B", "B against A")
    for row in found.objectives:
        table.add_row(
            Text(row.name),
            _target(row.before, row.after),
            _measured(row.before),
            _measured(row.after),
            _change(row),
        )
    heads = [_run("A", found.before), _run("B", found.after)]
    heads += [
        Text(f"{each}; nothing is called worse for that", style="bold magenta") for each in found.differences
    ]
    heads += [Text(f"note: {each}") for each in found.remarks]
    costs = [(letter, run_cost(run.cost)) for letter, run in (("A", found.before), ("B", found.after))]
    heads += [Text(f"cost of {letter}: {cost}") for letter, cost in costs if cost]
    none = Text("Neither run has an objective on record.")
    return Group(*heads, Text(), table if table.row_count else none, *_beside_promises(found.unpromised))


def _beside_promises(rows: Sequence[Moved]) -> Iterator[RenderableType]:
    """Nothing where neither run tells of any."""
    if not rows:
        return
    table = _table("beside what was promised", "A", "B", "B against A")
    for row in rows:
        change = Text(row.change, style=_STYLE.get(row.change, ""))
        table.add_row(Text(row.name), shown(row.before), shown(row.after), change)
    yield Text()
    yield table


def against_baseline(found: AgainstBaseline) -> RenderableType:
    """Each objective of a run beside the span of all before it, and what their course tells."""
    tables = [("objective", found.courses), ("beside what was promised", found.unpromised)]
    shown = [_courses(heading, some) for heading, some in tables if some]
    told = [Text(each) for each in limits(found)]
    return Group(_run("", found.run), Text(), *shown, *told)


def _courses(heading: str, courses: Sequence[Course]) -> Table:
    table = _table(heading, "earlier", "runs", "this run", "a month", "course")
    for course in courses:
        words = course_words(course)
        table.add_row(
            Text(words.name),
            words.earlier,
            str(words.runs),
            words.latest,
            words.per_month or UNKNOWN,
            Text(words.told, style=_STYLE.get(course.change, "")),
        )
    return table


@dataclass(frozen=True, slots=True)
class CourseWords:
    """What the runs say of one objective, as it is shown. `per_month`: "" where no trend is proven."""

    name: str
    earlier: str  # the span of all earlier runs
    runs: int  # of them
    latest: str
    per_month: str
    told: str


def course_words(course: Course) -> CourseWords:
    """The course of an objective in the words of every place that shows it."""
    lower = min(point.lower for point in course.earlier)
    upper = max(point.upper for point in course.earlier)
    last = course.points[-1]
    return CourseWords(
        course.name,
        interval(lower, upper, course.unit).bracketed,
        len(course.earlier),
        interval(last.lower, last.upper, course.unit).bracketed,
        _slope(course),
        _told_course(course),
    )


def limits(found: AgainstBaseline) -> Iterator[str]:
    """What must be known to believe it: what was left out, and how often it is wrong."""
    for name in found.too_few:
        yield f"{name}: measured by too few earlier runs to tell"
    if found.left_out:
        left = "1 earlier run" if found.left_out == 1 else f"{found.left_out} earlier runs"
        yield f"left out: {left} at another rate or of another experiment file"
    if found.courses or found.unpromised:
        yield (
            f"If nothing had changed, {FALSE_ALARMS:.0%} of such comparisons would say so, "
            "2% where noise has heavy tails."
        )


def comparison_document(found: Comparison) -> dict[str, Any]:
    """Two runs as JSON-ready data."""
    return {
        "before": found.before.run,
        "after": found.after.run,
        "verdict": found.verdict,
        "differences": found.differences,
        "remarks": found.remarks,
        "unpromised": [
            {"name": row.name, "before": plain(row.before), "after": plain(row.after), "change": row.change}
            for row in found.unpromised
        ],
        "cost": {"before": plain(found.before.cost), "after": plain(found.after.cost)},
        "objectives": [
            {"name": row.name, "before": plain(row.before), "after": plain(row.after), "change": row.change}
            for row in found.objectives
        ],
    }


def baseline_document(found: AgainstBaseline) -> dict[str, Any]:
    """A run and those before it as JSON-ready data."""
    return {
        "run": found.run.run,
        "verdict": found.verdict,
        "false_alarms": FALSE_ALARMS,
        "left_out": found.left_out,
        "too_few": found.too_few,
        "objectives": [_course_document(course) for course in found.courses],
        "unpromised": [_course_document(course) for course in found.unpromised],
    }


def _course_document(course: Course) -> dict[str, Any]:
    return {
        "name": course.name,
        "unit": course.unit,
        "runs": [
            {
                "run": point.run,
                "at": point.at.isoformat(),
                "lower": point.lower,
                "upper": plain(point.upper),
            }
            for point in course.points
        ],
        "change": course.change,
        "how": course.how,
        "chance": course.chance,
        "per_month": {"lower": course.slope_lower, "upper": course.slope_upper},
    }


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _told(result: RunResult) -> Conditions:
    return Conditions(result.experiment, result.target)


def _run(letter: str, result: RunResult) -> Text:
    version = f"  {result.version}" if result.version is not None else ""
    return Text.assemble(
        (f"{letter}  " if letter else "", "bold"), f"{result.run}  ", verdict_text(result.verdict), version
    )


def _target(before: ObjectiveResult | None, after: ObjectiveResult | None) -> str:
    targets = dict.fromkeys(allowed(one.target, one.unit) for one in (before, after) if one is not None)
    return " then ".join(targets)


def _measured(one: ObjectiveResult | None) -> str:
    return UNKNOWN if one is None else measured_text(one)


def _change(row: Compared) -> Text:
    return Text(row.change, style=_STYLE.get(row.change, ""))


def _told_course(course: Course) -> str:
    if course.change is Change.ALIKE:
        return str(course.change)
    since = f"since {course.points[0].at:%Y-%m}" if course.how == "trend" else "this run alone"
    return f"{course.change}: {since}"


def _slope(course: Course) -> str:
    """Only where there is a trend: the slope of noise means nothing."""
    if course.how != "trend" or course.slope_lower is None or course.slope_upper is None:
        return ""
    ends: Sequence[float] = (course.slope_lower, course.slope_upper)
    return " … ".join(
        f"{'+' if end > 0 else '−' if end < 0 else ''}{number(abs(end), course.unit)}" for end in ends
    )
