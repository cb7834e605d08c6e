"""What a recorded run says of one piece of evidence.

A pass needs the whole run behind it. Where the run is unknown, what it measured is in doubt, so the finding
is unknown. Where it failed of something else, that is not this row's fail, and no pass either: unknown, with
the run's own reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from seatrial.matrix.finding import Figure, Finding, Kind
from seatrial.model.readiness import Evidence
from seatrial.model.result import CheckResult, ObjectiveResult, RunResult
from seatrial.model.verdict import Verdict
from seatrial.report.noticing import sentence
from seatrial.report.unpromised import MILLION, unpromised


@dataclass(frozen=True, slots=True)
class RunFound:
    """The run that counts, and the state of its evidence.

    `sha256`: of its `verdict.json`. `gone`: why the evidence cannot be looked at. `altered`: what was changed
    after it was sealed. `otherwise`: that it was not offered what its experiment says. `changed`: what is not
    as it was then. `note`: what nobody knows of that. `trends`: of its objectives over the runs on record, by
    name.
    """

    result: RunResult
    sha256: str = ""
    gone: str = ""
    altered: str = ""
    otherwise: str = ""
    changed: str = ""
    note: str = ""
    trends: Mapping[str, str] = field(default_factory=dict)


def what_of(spec: Evidence, experiment: str) -> str:
    """How a person calls it: the experiment, and what of it."""
    part = spec.objective or spec.check
    return f"{experiment}, {part}" if part else experiment


def from_run(spec: Evidence, found: RunFound, what: str) -> Finding:
    """The finding, without its expiry."""
    result = found.result
    verdict, reason, figure = _own(spec, result)
    if figure:
        figure = replace(figure, trend=found.trends.get(figure.name, ""))
    verdict, reason = _with_the_run(verdict, reason, result)
    if found.otherwise and verdict is not Verdict.UNKNOWN:
        verdict, reason = Verdict.UNKNOWN, f"the run {result.run} {found.otherwise}"
    if found.altered:
        verdict, reason = Verdict.UNKNOWN, f"the evidence of {result.run} {found.altered}"
    return Finding(
        what=what,
        kind=Kind.MEASURED,
        verdict=verdict,
        reason=reason,
        figure=figure,
        run=result.run,
        target=result.target,
        sha256=found.sha256,
        at=datetime.fromisoformat(result.started_at).astimezone(UTC),
        gone=found.gone or found.changed,
        note=found.note,
        noticed="; ".join(map(sentence, result.detections)),
        detections=result.detections,
        cost=next((each for each in unpromised((), result.cost) if each.name == MILLION), None),
        cost_trend=found.trends.get(MILLION, ""),
    )


def _own(spec: Evidence, result: RunResult) -> tuple[Verdict, str, Figure | None]:
    if spec.objective:
        return _of_objective(spec, result.objectives)
    if spec.check:
        return _of_check(spec, result.checks)
    first = next((each for each in result.objectives if each.upper is not None), None)
    reason = result.reasons[0] if result.reasons else ""
    return result.verdict, reason, _figure(first) if first else None


def _with_the_run(verdict: Verdict, reason: str, result: RunResult) -> tuple[Verdict, str]:
    if verdict is not Verdict.PASS or result.verdict is Verdict.PASS:
        return verdict, reason
    word = "failed" if result.verdict is Verdict.FAIL else "is unknown"
    why = f": {result.reasons[0]}" if result.reasons else ""
    return Verdict.UNKNOWN, f"the run {result.run} {word}{why}"


def _of_objective(
    spec: Evidence, objectives: tuple[ObjectiveResult, ...]
) -> tuple[Verdict, str, Figure | None]:
    found = next((each for each in objectives if each.name == spec.objective), None)
    if found is None:
        names = ", ".join(each.name for each in objectives) or "none"
        return Verdict.UNKNOWN, f"the run has no objective of this name; it has: {names}", None
    return _limited(spec, found.verdict, found.reason, _figure(found))


def _of_check(spec: Evidence, checks: tuple[CheckResult, ...]) -> tuple[Verdict, str, Figure | None]:
    found = next((each for each in checks if each.name == spec.check), None)
    if found is None:
        names = ", ".join(each.name for each in checks) or "none"
        return Verdict.UNKNOWN, f"the run has no check of this name; it has: {names}", None
    if not spec.figure:
        return found.verdict, found.detail, None
    value = found.figures.get(spec.figure)
    if value is None or not math.isfinite(value):
        return Verdict.UNKNOWN, f"the check tells no figure '{spec.figure}'", None
    unit = "s" if spec.figure.endswith("_s") and not spec.figure.endswith("per_s") else ""
    return _limited(spec, found.verdict, found.detail, Figure(spec.figure, value, value, unit))


def _figure(objective: ObjectiveResult) -> Figure:
    return Figure(
        objective.name,
        objective.lower,
        objective.upper,
        objective.unit,
        objective.target,
        at_least=objective.unit == "per_s",
    )


def _limited(
    spec: Evidence, verdict: Verdict, reason: str, measured: Figure
) -> tuple[Verdict, str, Figure | None]:
    """What the run said, and its figure against the row's own limits, if they are any of it."""
    figure, verdicts, broken = measured, [Verdict.PASS], []
    for limit, at_least in ((spec.max, False), (spec.min, True)):
        if limit is None:
            continue
        value = limit.in_unit(figure.unit)
        if value is None:
            unit = figure.unit or "counts"
            return (
                Verdict.UNKNOWN,
                f"'{limit}' is no limit of {figure.name}, which is measured in {unit}",
                measured,
            )
        figure = replace(figure, limit=value, at_least=at_least)
        verdicts.append(figure.verdict)
        if figure.verdict is not Verdict.PASS:
            broken.append(f"{figure} where {'at least' if at_least else 'at most'} {limit} is asked for")
    return Verdict.merge([verdict, *verdicts]), "; ".join(broken) or reason, figure
