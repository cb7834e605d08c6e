"""Hold what was measured against what was promised. Pure: no clock, no file.

A downtime or recovery objective is judged on its upper bound. What could not be measured is unknown, and a
generator that was late or dropped arrivals has measured itself, so nothing it says can pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Set
from dataclasses import dataclass

from seatrial.measure import downtime, recovery, trusted
from seatrial.model.experiment import DowntimeObjective, Experiment, Objectives, RecoveryObjective
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Bounds, CheckResult, Measurement, ObjectiveResult, StepRecord
from seatrial.model.verdict import Verdict, judge_bounds
from seatrial.run.undone import troubled


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of a run and, worst first, the sentences that explain it."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge_objectives(
    experiment: Experiment, log: RequestLog, measurement: Measurement, steps: tuple[StepRecord, ...]
) -> tuple[ObjectiveResult, ...]:
    """One result for each promise of the experiment, in the order of the file."""
    promised = experiment.objectives
    results: list[ObjectiveResult] = []
    results += [_downtime(objective, experiment, log, measurement, steps) for objective in promised.downtime]
    results += [_recovery(objective, experiment, log, steps) for objective in promised.recovery]
    if promised.latency:
        for percentile, limit in promised.latency.limits().items():
            value = getattr(measurement.latency, f"{percentile}_ms", None)
            results.append(_at_most(f"latency {percentile}", limit.seconds * 1000, value, "ms"))
    if promised.errors:
        share = measurement.bad / measurement.requests if measurement.requests else None
        results.append(_at_most("errors", promised.errors.max.fraction, share, "ratio"))
    if promised.throughput:
        results.append(_throughput(promised.throughput.min.per_second, measurement))
    return tuple(results)


def _downtime(
    objective: DowntimeObjective,
    experiment: Experiment,
    log: RequestLog,
    measurement: Measurement,
    steps: tuple[StepRecord, ...],
) -> ObjectiveResult:
    name = f"downtime after {objective.after}" if objective.after else "downtime"
    start_s, end_s, unwell = measurement.start_s, measurement.end_s, ""
    if objective.after:
        step = _step(steps, objective.after)
        if step is None or step.before_s is None:
            reason = f"{objective.after} did not happen"
            return ObjectiveResult(name, objective.max.seconds, None, None, "s", Verdict.UNKNOWN, reason)
        unwell = step.unwell
        judged = {each.after for each in experiment.objectives.downtime}
        start_s, end_s = step.before_s, _next_judged(judged, steps, step.before_s, end_s)
    bounds = downtime(log, start_s, end_s, experiment.load.deadline.seconds, experiment.settle.seconds)
    verdict = judge_bounds(bounds.lower_s, bounds.upper_s, objective.max.seconds)
    reason = _why(verdict, bounds, objective.max.seconds, unwell)
    return ObjectiveResult(name, objective.max.seconds, bounds.lower_s, bounds.upper_s, "s", verdict, reason)


def _next_judged(
    judged: Set[str | None], steps: tuple[StepRecord, ...], start_s: float, end_s: float
) -> float:
    """Until when what happens is a step's: the next step that is `judged` on its own, or the end.

    A step without an objective (the cold start that follows a rollback) is part of the story being judged.
    """
    others = (step.before_s for step in steps if step.name in judged and step.before_s is not None)
    return min((instant for instant in others if instant > start_s), default=end_s)


def _recovery(
    objective: RecoveryObjective, experiment: Experiment, log: RequestLog, steps: tuple[StepRecord, ...]
) -> ObjectiveResult:
    name = f"recovery after {objective.after}"
    step = _step(steps, objective.after)
    if step is None or step.injected_s is None:
        reason = f"{objective.after} did not happen"
        return ObjectiveResult(name, objective.max.seconds, None, None, "s", Verdict.UNKNOWN, reason)
    judged = {each.after for each in experiment.objectives.recovery}
    until_s = _next_judged(judged, steps, step.injected_s, math.inf)
    bounds = recovery(
        log, step.injected_s, experiment.load.deadline.seconds, experiment.settle.seconds, until_s
    )
    if bounds is None:
        reason = f"nothing was due after {objective.after}"
        return ObjectiveResult(name, objective.max.seconds, None, None, "s", Verdict.UNKNOWN, reason)
    if step.before_s is not None:  # the effect came at some instant from then on
        bounds = Bounds(bounds.lower_s, bounds.upper_s + step.injected_s - step.before_s)
    verdict = judge_bounds(bounds.lower_s, bounds.upper_s, objective.max.seconds)
    reason = _why(verdict, bounds, objective.max.seconds, step.unwell)
    return ObjectiveResult(name, objective.max.seconds, bounds.lower_s, bounds.upper_s, "s", verdict, reason)


def _why(verdict: Verdict, bounds: Bounds, target_s: float, unwell: str) -> str:
    """The sentence behind a verdict on a length of time."""
    if verdict is Verdict.PASS:
        return ""
    if math.isinf(bounds.upper_s):
        known = unwell or "the run ended first, or nothing was answered well any more"
        return f"its end was not seen: {known}"
    if verdict is Verdict.FAIL:
        return f"at least {bounds.lower_s - target_s:.3f} s too long"
    return "the bounds hold the target between them; a higher rate narrows them"


def _at_most(name: str, target: float, value: float | None, unit: str) -> ObjectiveResult:
    if value is None:
        return ObjectiveResult(name, target, None, None, unit, Verdict.UNKNOWN, "nothing was answered")
    verdict = Verdict.PASS if value <= target else Verdict.FAIL
    return ObjectiveResult(name, target, value, value, unit, verdict)


def _throughput(least_per_s: float, measurement: Measurement) -> ObjectiveResult:
    length_s = measurement.end_s - measurement.start_s
    if length_s <= 0:
        return ObjectiveResult(
            "throughput", least_per_s, None, None, "per_s", Verdict.UNKNOWN, "no time passed"
        )
    value = (measurement.requests - measurement.bad) / length_s
    verdict = Verdict.PASS if value >= least_per_s else Verdict.FAIL
    return ObjectiveResult("throughput", least_per_s, value, value, "per_s", verdict)


def _step(steps: Iterable[StepRecord], name: str) -> StepRecord | None:
    return next((step for step in steps if step.name == name), None)


def judge(
    objectives: tuple[ObjectiveResult, ...],
    checks: tuple[CheckResult, ...],
    steps: tuple[StepRecord, ...],
    measurement: Measurement | None,
    experiment: Experiment,
    disturbances: tuple[tuple[Verdict, str], ...] = (),
    interrupted: bool = False,
) -> Judgement:
    """The verdict of the whole.

    `disturbances` are what befell the run itself: an abort, a crash, an interrupt. A story not told to
    its end breaks no promise, so an interrupted run fails only if a fault was not undone. Without a
    measurement there was no story at all.
    """
    found = [(result.verdict, _sentence(result)) for result in objectives]
    found += [(check.verdict, f"{check.name}: {check.detail}") for check in checks]
    if interrupted:
        found = [(Verdict.UNKNOWN, text) for verdict, text in found if verdict is not Verdict.PASS]
    found = [*disturbances, *found]
    found += troubled(steps, told=measurement is not None)
    if measurement is not None:
        doubt = doubt_of(measurement, experiment)
        if doubt:
            found.append((Verdict.UNKNOWN, f"the load generator cannot be trusted: {doubt}"))
    if experiment.objectives == Objectives() and not experiment.checks:
        found.append(
            (Verdict.UNKNOWN, "nothing was promised: the experiment has no objectives and no checks")
        )
    verdict = Verdict.merge(verdict for verdict, _ in found)
    severity = (Verdict.FAIL, Verdict.UNKNOWN)
    reasons = [text for wanted in severity for verdict_, text in found if verdict_ is wanted]
    return Judgement(verdict, tuple(reasons))


def doubt_of(measurement: Measurement, experiment: Experiment) -> str:
    """Why the load generator cannot be believed; empty when it can."""
    interval_s = max(point.rate.interval_s for point in experiment.load.rate if point.rate.count)
    return trusted(measurement.generator, interval_s, deadline_s=experiment.load.deadline.seconds)


def _sentence(result: ObjectiveResult) -> str:
    if result.lower is None or result.upper is None:
        return f"{result.name}: {result.reason}"
    return f"{result.name}: {_measured(result)}, target {_number(result.target, result.unit)}" + (
        f" ({result.reason})" if result.reason else ""
    )


def _measured(result: ObjectiveResult) -> str:
    assert result.lower is not None
    assert result.upper is not None
    if result.lower == result.upper:
        return _number(result.lower, result.unit)
    return f"[{_number(result.lower, result.unit)}, {_number(result.upper, result.unit)}]"


def _number(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value * 100:.3g} %"
    if unit == "per_s":
        return f"{value:.4g}/s"
    return f"{value:.3f} s" if unit == "s" else f"{value:.1f} {unit}"
