"""Hold what was measured against what was promised. Pure: no clock, no file.

Every objective has two bounds (see `measure`): the upper one counts whatever was bad, the lower one only what
is proven against the service. Of these

* an upper bound that keeps the promise is a *pass*, a lower bound that breaks it is a *fail*;
* everything between is *unknown*, and so is what could not be measured;
* what a story says of its end (recovery, shares and rates of the whole) is unknown when the run was cut
  short, and nothing passes then; what is proven whatever would have followed (a downtime that is too long
  already) still fails.

A generator that was late or dropped arrivals has measured itself, and a scenario that raised has not done
what it was to do: nothing they say can pass, and a fail that is proven without them stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field

from seatrial.measure import (
    Latencies,
    downtime,
    good_per_s,
    recovery,
    share_bad,
    tells_too_many,
    trusted,
    worst_tenants,
)
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.experiment import (
    DowntimeObjective,
    Experiment,
    Objectives,
    RecoveryObjective,
    ReplicationLagObjective,
)
from seatrial.model.figures import exactly, interval, seconds
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.ownfailure import DROPPED
from seatrial.model.quantities import Ratio
from seatrial.model.reasons import Reason
from seatrial.model.replication import ReplicationLag
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult, Measurement, ObjectiveResult, StepRecord
from seatrial.model.scenarioaccount import ScenarioAccount, times
from seatrial.model.verdict import Verdict, judge_bounds
from seatrial.run.offered import doubt_of_rate
from seatrial.run.undone import troubled

_OPEN_END = "the run ended first, or nothing was answered well any more"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of a run and, worst first, the sentences that explain it."""

    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to be judged. `cut`: why the run ended before its planned end; "" when it did not.

    `measurement` is None when there is nothing in the log.
    """

    experiment: Experiment
    log: RequestLog
    measurement: Measurement | None
    steps: tuple[StepRecord, ...]
    cut: str = ""
    load: LoadAccount = field(default_factory=LoadAccount)
    lag: ReplicationLag | None = None  # None: nobody was asked, for the reason `lag_why`
    lag_why: str = ""
    exact: Exactness = EXACT  # of the log's instants: less than that where workers had clocks of their own


@dataclass(frozen=True, slots=True)
class _Found:
    """What was measured of a promise: bounds, or why there are none."""

    bounds: tuple[float, float] | None
    why: str = ""  # there are no bounds, or the upper one is not known
    of_the_end: bool = False  # what follows could still change a bound that breaks the promise
    whose: tuple[str, str] = ("", "")  # tenants that the lower bound and the upper one are of; "": nobody's


@dataclass(frozen=True, slots=True)
class _Promise:
    """One number that a run is judged on."""

    name: str
    target: float
    unit: str
    measure: Callable[[Story, Measurement], _Found]
    at_least: bool = False


def judge_objectives(story: Story) -> tuple[ObjectiveResult, ...]:
    """One result for each promise of the experiment, in the order of the file, measured or not."""
    return tuple(_judged(promise, story) for promise in _promises(story.experiment))


def _promises(experiment: Experiment) -> Iterator[_Promise]:
    promised = experiment.objectives
    for downtime_ in promised.downtime:
        yield _downtime(downtime_)
    for recovery_ in promised.recovery:
        yield _recovery(recovery_)
    if promised.latency:
        for name, limit in promised.latency.limits().items():
            yield _Promise(f"latency {name}", limit.seconds * 1000, "ms", _latency(name))
    if promised.errors:
        yield _Promise("errors", promised.errors.max.fraction, "ratio", _errors)
    if promised.throughput:
        yield _Promise("throughput", promised.throughput.min.per_second, "per_s", _throughput, at_least=True)
    if promised.replication_lag:
        yield _replication_lag(promised.replication_lag)


def _judged(promise: _Promise, story: Story) -> ObjectiveResult:
    name, target, unit, measured = promise.name, promise.target, promise.unit, story.measurement
    if measured is None:
        return ObjectiveResult(name, target, None, None, unit, Verdict.UNKNOWN, Reason.NOTHING_MEASURED())
    found = promise.measure(story, measured)
    if found.bounds is None:
        return ObjectiveResult(name, target, None, None, unit, Verdict.UNKNOWN, found.why)
    lower, upper = found.bounds
    if promise.at_least:
        verdict = judge_bounds(-upper, -lower, -target)
    else:
        verdict = judge_bounds(lower, upper, target)
    reason = _of_whom(_why(verdict, promise, found, measured), found.whose[verdict is not Verdict.FAIL])
    if story.cut and (verdict is Verdict.PASS or found.of_the_end):
        verdict, reason = Verdict.UNKNOWN, Reason.CUT_SHORT(why=story.cut)
    return ObjectiveResult(name, target, lower, upper, unit, verdict, reason)


def _why(verdict: Verdict, promise: _Promise, found: _Found, measured: Measurement) -> str:
    """The sentence behind a verdict."""
    assert found.bounds is not None
    lower, upper = found.bounds
    if verdict is Verdict.PASS:
        return ""
    if verdict is Verdict.UNKNOWN and measured.unproven:
        return Reason.OWN_FAILURES(own=f"{measured.unproven:,}", bad=f"{measured.bad:,}")
    if promise.unit == "s" and math.isinf(upper):
        return found.why
    if verdict is Verdict.FAIL:
        return f"at least {seconds(lower - promise.target)} too long" if promise.unit == "s" else ""
    return Reason.BETWEEN_BOUNDS()


def _of_whom(reason: str, tenant: str) -> str:
    return f"{reason} (tenant {tenant})" if reason and tenant else reason


def _unseen(why: str) -> str:
    return Reason.END_NOT_SEEN(why=why or _OPEN_END)


# what is promised, and how it is measured


def _downtime(objective: DowntimeObjective) -> _Promise:
    def found(story: Story, measured: Measurement) -> _Found:
        start_s, end_s, unwell = measured.start_s, measured.end_s, ""
        if objective.after:
            step = _step(story.steps, objective.after)
            if step is None or step.before_s is None:
                return _Found(None, Reason.STEP_DID_NOT_HAPPEN(step=objective.after))
            unwell = step.unwell
            judged = {each.after for each in story.experiment.objectives.downtime}
            start_s, end_s = step.before_s, _next_judged(judged, story.steps, step.before_s, end_s)
        deadline_s, settle_s = _limits(story.experiment)
        window = start_s, end_s, deadline_s, settle_s, story.exact
        if objective.per:
            return _of_tenants(story.log, window, unwell)
        bounds = downtime(story.log, *window)
        return _Found((bounds.lower_s, bounds.upper_s), _unseen(unwell))

    name = f"downtime per {objective.per}" if objective.per else "downtime"
    name += f" after {objective.after}" if objective.after else ""
    return _Promise(name, objective.max.seconds, "s", found)


def _of_tenants(log: RequestLog, window: tuple[float, float, float, float, Exactness], unwell: str) -> _Found:
    if tells_too_many(log):
        return _Found(None, "what the log has for tenants are too many to be such")
    worst = worst_tenants(log.sorted(), *window)
    if worst is None:
        return _Found(None, Reason.TENANTS_NOT_TOLD())
    whose = worst.lower_of, worst.upper_of
    return _Found((worst.downtime.lower_s, worst.downtime.upper_s), _unseen(unwell), whose=whose)


def _next_judged(
    judged: Set[str | None], steps: tuple[StepRecord, ...], start_s: float, end_s: float
) -> float:
    """Until when an outage is attributed to a step: the next step that is `judged` on its own, or the end.

    A step without an objective (the cold start that follows a rollback) is part of the story being judged.
    """
    others = (step.before_s for step in steps if step.name in judged and step.before_s is not None)
    return min((instant for instant in others if instant > start_s), default=end_s)


def _recovery(objective: RecoveryObjective) -> _Promise:
    def found(story: Story, _: Measurement) -> _Found:
        step = _step(story.steps, objective.after)
        if step is None or step.before_s is None or step.injected_s is None:
            return _Found(None, Reason.STEP_DID_NOT_HAPPEN(step=objective.after))
        judged = {each.after for each in story.experiment.objectives.recovery}
        until_s = _next_judged(judged, story.steps, step.injected_s, math.inf)
        deadline_s, settle_s = _limits(story.experiment)
        bounds = recovery(story.log, step.injected_s, deadline_s, settle_s, until_s, story.exact)
        if bounds is None:
            return _Found(None, f"nothing was due after {objective.after}")
        came_within_s = step.injected_s - step.before_s  # the effect did, at some instant between the two
        return _Found((bounds.lower_s, bounds.upper_s + came_within_s), _unseen(step.unwell), of_the_end=True)

    return _Promise(f"recovery after {objective.after}", objective.max.seconds, "s", found)


def _latency(name: str) -> Callable[[Story, Measurement], _Found]:
    percent = 100 if name == "max" else int(name.removeprefix("p"))

    def found(story: Story, measured: Measurement) -> _Found:
        latencies = Latencies.of(_measured_part(story, measured), story.experiment.load.deadline.seconds)
        bounds = latencies.percentile(percent)
        if bounds is None:
            count = f"{latencies.known:,}"
            return _Found(
                None, Reason.TOO_FEW_ANSWERS(count=count) if latencies.known else "nothing was answered"
            )
        lower, upper = bounds
        return _Found((lower * 1000, upper * 1000), of_the_end=percent < 100)

    return found


def _errors(story: Story, measured: Measurement) -> _Found:
    bounds = share_bad(_measured_part(story, measured), story.experiment.load.deadline.seconds)
    return _Found(bounds, "nothing was due", of_the_end=True)


def _throughput(story: Story, measured: Measurement) -> _Found:
    deadline_s, length_s = story.experiment.load.deadline.seconds, measured.end_s - measured.start_s
    bounds = good_per_s(_measured_part(story, measured), deadline_s, length_s)
    return _Found(bounds, "no time passed", of_the_end=True)


def _replication_lag(objective: ReplicationLagObjective) -> _Promise:
    def found(story: Story, _: Measurement) -> _Found:
        worst = story.lag.worst if story.lag else None
        if story.lag is None or worst is None:
            gaps = story.lag.unmeasured if story.lag else ()
            why = story.lag_why or next((gap.why for gap in gaps if gap.why), "")
            return _Found(None, why or "nobody was asked how far the standbys are behind")
        blind_s = story.lag.unmeasured_s
        if blind_s <= objective.unmeasured.seconds:
            return _Found((worst.lower_s, worst.upper_s))
        why = next((gap.why for gap in story.lag.unmeasured if gap.why), "nobody answered")
        told = Reason.LAG_NOT_MEASURED(length=seconds(blind_s), why=why)
        return _Found((worst.lower_s, math.inf), told)

    return _Promise("replication lag", objective.max.seconds, "s", found)


def _measured_part(story: Story, measured: Measurement) -> RequestLog:
    return story.log.between(measured.start_s, measured.end_s)


def _limits(experiment: Experiment) -> tuple[float, float]:
    return experiment.load.deadline.seconds, experiment.settle.seconds


def _step(steps: Iterable[StepRecord], name: str) -> StepRecord | None:
    return next((step for step in steps if step.name == name), None)


# the whole


def judge(
    story: Story,
    objectives: tuple[ObjectiveResult, ...],
    checks: tuple[CheckResult, ...],
    disturbances: tuple[tuple[Verdict, str], ...] = (),
    interrupted: bool = False,
    scenario: ScenarioAccount | None = None,
) -> Judgement:
    """The verdict of the whole.

    `disturbances` are what befell the run itself: an abort, a crash, an interrupt. A person who ends a run
    wants no verdict on the target, so an interrupted run fails only if a fault was not undone. Where nothing
    was measured they are all there is to say.
    """
    experiment, measurement = story.experiment, story.measurement
    found = [(result.verdict, _sentence(result)) for result in objectives]
    found += [(check.verdict, f"{check.name}: {check.detail}") for check in checks]
    if measurement is None and disturbances:
        found = []
    if interrupted:
        found = [(Verdict.UNKNOWN, text) for verdict, text in found if verdict is not Verdict.PASS]
    own = (doubt_of_scenario(scenario, experiment.load.scenario_errors),)
    found = [*disturbances, *((Verdict.UNKNOWN, doubt) for doubt in own if doubt), *found]
    found += troubled(story.steps, told=measurement is not None)
    if measurement is not None:
        doubt = doubt_of(measurement, experiment, scenario)
        if doubt:
            found.append((Verdict.UNKNOWN, Reason.GENERATOR_DOUBTED(why=doubt)))
        if doubt := doubt_of_rate(story.load, measurement):
            found.append((Verdict.UNKNOWN, Reason.OTHER_RATE(why=doubt)))
    if experiment.objectives == Objectives() and not experiment.checks:
        found.append((Verdict.UNKNOWN, Reason.NOTHING_PROMISED()))
    verdict = Verdict.merge(verdict for verdict, _ in found)
    severity = (Verdict.FAIL, Verdict.UNKNOWN)
    reasons = [text for wanted in severity for verdict_, text in found if verdict_ is wanted]
    return Judgement(verdict, tuple(reasons))


def doubt_of(
    measurement: Measurement, experiment: Experiment, scenario: ScenarioAccount | None = None
) -> str:
    """Why the load generator cannot be believed; empty when it can. `scenario`: what may have stopped it."""
    interval_s = _interval_s(measurement, experiment)
    if experiment.load.counts == "requests":
        interval_s *= measurement.generator.requests_per_arrival or 1.0
    reasons = (reason for reason, _ in measurement.errors if reason.startswith(DROPPED))
    because = next(reasons, "").removeprefix(DROPPED)
    deadline_s = experiment.load.deadline.seconds
    return trusted(
        measurement.generator,
        interval_s,
        dropped_because=because,
        late_because=scenario.stopped_by if scenario else "",
        deadline_s=deadline_s,
    )


def _interval_s(measurement: Measurement, experiment: Experiment) -> float:
    """How far apart arrivals are: where the rate is lowest, on the mean of a ramp or of a replayed log."""
    rates = [step.at(0.5) for step in experiment.load.steps]
    if not rates:
        return measurement.length_s / max(measurement.generator.arrivals or measurement.requests, 1)
    return max(rate.interval_s for rate in rates if rate.count)


def doubt_of_scenario(account: ScenarioAccount | None, tolerated: Ratio) -> str:
    """Why the scenario may not have done what it should; empty when it did."""
    if account is None or account.failed <= tolerated.fraction * account.arrivals:
        return ""
    others = len(account.errors) - 1
    more = f", and errors of {others} other kinds" if others else ""
    limit = f"; {tolerated} is tolerated" if tolerated.fraction else ""
    told = Reason.SCENARIO_FAILED(times=times(account.failed), arrivals=f"{account.arrivals:,}")
    return f"{told}{limit}: {account.errors[0]}{more}"


def _sentence(result: ObjectiveResult) -> str:
    if result.lower is None or result.upper is None:
        return f"{result.name}: {result.reason}"
    measured = interval(result.lower, result.upper, result.unit, result.target).bracketed
    told = f"{result.name}: {measured}, target {exactly(result.target, result.unit)}"
    return f"{told} ({result.reason})" if result.reason else told
