"""Two runs side by side, and one beside all before it: as the command line judges them, in the same words."""

from __future__ import annotations

import json

from seatrial.model.figures import allowed
from seatrial.model.problems import Unavailable
from seatrial.report import comparison
from seatrial.report.change import Change
from seatrial.report.course import Course
from seatrial.report.unpromised import Moved
from seatrial.report.verdictfile import read_verdict
from seatrial.store import RecordedRun
from seatrial.trials.baseline import OnRecord, against_earlier
from seatrial.trials.lookup import FoundRun
from seatrial.web import documents
from seatrial.web.asked import AskedComparison
from seatrial.web.runs import line_of_record, measured_words, recorded
from seatrial.web.sources import Sources


def compared(sources: Sources, asked: AskedComparison) -> documents.Comparison:
    """Two runs, and the later beside all before it; nothing while no later one is named.

    Where only the later is named and too few were before it for more, it stands beside the last of them.
    Raises Missing, BadInput.
    """
    a, b = (recorded(sources, name) if name else None for name in (asked.a, asked.b))
    beside, last = beside_earlier(sources, b) if b else (None, "")
    if a is None and last:
        a = recorded(sources, last)
    before, after = (line_of_record(each) if each else None for each in (a, b))
    if a is None or b is None:
        return documents.Comparison(
            before=before,
            after=after,
            differences=[],
            remarks=[],
            objectives=[],
            unpromised=[],
            beside=beside,
        )
    first, second = _found(a), _found(b)
    found = comparison.compared(first.result, second.result, (first.conditions, second.conditions))
    return documents.Comparison(
        before=before,
        after=after,
        differences=list(found.differences),
        remarks=list(found.remarks),
        objectives=[_compared(each, alike=not found.differences) for each in found.objectives],
        unpromised=[_moved(each, alike=not found.differences) for each in found.unpromised],
        beside=beside,
    )


def beside_earlier(
    sources: Sources, run: RecordedRun, known: OnRecord | None = None
) -> tuple[documents.Beside, str]:
    """A run beside all before it. The second: the last of them, where they are too few for more, else "".

    `known`: as of `against_earlier`.
    """
    try:
        baseline = against_earlier(sources.store, _found(run), known)
    except Unavailable as error:  # there is none, or the statistics are not installed
        return documents.Beside(trends=[], remarks=[str(error)]), ""
    if isinstance(baseline.found, comparison.Comparison):
        return documents.Beside(trends=[], remarks=[baseline.note]), baseline.found.before.run
    trends = [_trend(each) for each in (*baseline.found.courses, *baseline.found.unpromised)]
    return documents.Beside(trends=trends, remarks=list(comparison.limits(baseline.found))), ""


def _trend(course: Course) -> documents.Trend:
    words = comparison.course_words(course)
    return documents.Trend(
        name=words.name,
        earlier=words.earlier,
        runs=words.runs,
        latest=words.latest,
        per_month=words.per_month,
        change=course.change,
        told=words.told,
    )


def _found(run: RecordedRun) -> FoundRun:
    """A run as its record tells it, whatever became of its evidence. Raises BadInput."""
    result, origin = read_verdict(json.dumps(run.result), run.run), run.origin
    conditions = comparison.Conditions(run.experiment, run.target, origin.rate, origin.experiment_sha256)
    return FoundRun(result, None, conditions)


def _compared(row: comparison.Compared, *, alike: bool) -> documents.Compared:
    """An objective of both. What was measured under other conditions is not called better or worse."""
    both = (row.before, row.after)
    before, after = (measured_words(one) if one else "" for one in both)
    targets = dict.fromkeys(allowed(one.target, one.unit) for one in both if one)
    return documents.Compared(
        name=row.name,
        allowed=" then ".join(targets),
        before=before,
        after=after,
        change=row.change if alike else Change.INCOMPARABLE,
    )


def _moved(row: Moved, *, alike: bool) -> documents.Moved:
    before, after = ("" if one is None else str(one.shown) for one in (row.before, row.after))
    change = row.change if alike else Change.INCOMPARABLE
    return documents.Moved(name=row.name, before=before, after=after, change=change)
