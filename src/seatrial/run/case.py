"""What a run is judged by, and the judgement on what was gathered: measure, ask, check, judge."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC

from seatrial.checks.protocol import Check, History, When
from seatrial.measure import budget_spent, measure
from seatrial.model.errorbudget import THREE_NINES, Allowance
from seatrial.model.experiment import Experiment
from seatrial.model.pricing import Pricing
from seatrial.model.reasons import Reason
from seatrial.model.result import CheckResult, ErrorBudget, Failover, RunResult
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict
from seatrial.run.clock import RunClock
from seatrial.run.conductor import Conducted
from seatrial.run.detection import as_objectives, detections
from seatrial.run.evidence import Evidence
from seatrial.run.failover import split_failovers
from seatrial.run.judge import Story, judge, judge_objectives
from seatrial.run.lag import lag_in, series_of
from seatrial.run.losses import Losses
from seatrial.run.needs import BoundNeed
from seatrial.run.offered import account_of
from seatrial.run.plan import Plan
from seatrial.run.recording import ask, keep
from seatrial.run.usage import cost_of


@dataclass(frozen=True, slots=True)
class Case:
    """What a run is judged by: its promises, and whom to ask when it is over."""

    experiment: Experiment
    target: str
    checks: tuple[Check, ...]
    needs: tuple[BoundNeed, ...] = ()
    clusters: tuple[Role, ...] = ()
    allowance: Allowance = THREE_NINES  # the error budget that the run is held against
    pricing: Pricing | None = None  # what the target costs

    @classmethod
    def of(cls, plan: Plan) -> Case:
        """The case of a plan that has just been conducted."""
        return cls(
            plan.experiment,
            plan.target.target,
            plan.checks,
            plan.needs,
            plan.clusters,
            plan.allowance,
            plan.target.cost,
        )


def bare(case: Case, evidence: Evidence, clock: RunClock, conducted: Conducted) -> RunResult:
    """What is known of a run before it is judged."""
    return RunResult(
        run=evidence.run,
        experiment=case.experiment.experiment,
        title=case.experiment.title,
        target=case.target,
        verdict=Verdict.UNKNOWN,
        reasons=tuple(ending.reason for ending in conducted.endings),
        started_at=clock.anchor_wall.astimezone(UTC).isoformat(timespec="seconds"),
        interrupted=any(ending.interrupted for ending in conducted.endings),
        zero_at="" if math.isnan(conducted.zero_mono_s) else clock.wall(conducted.zero_mono_s).isoformat(),
        measurement=None,
        steps=conducted.steps,
        covers=case.experiment.covers,
        scenario=conducted.scenario,
        version=conducted.version,
        load=account_of(case.experiment.load, conducted.offer, conducted.end_s, conducted.notices),
    )


def judged(
    case: Case, evidence: Evidence, clock: RunClock, conducted: Conducted, losses: Losses
) -> RunResult:
    """The verdict on what was gathered; the target is asked for what checks want to know of it."""
    experiment = case.experiment
    story = _story(experiment, conducted)
    measurement = story.measurement
    objectives = judge_objectives(story)
    needs = case.needs if measurement else ()
    answers = {**conducted.answers, **ask(needs, When.AFTER, evidence, conducted.log)}
    keep(needs, answers, evidence, losses)
    history = History(
        conducted.log,
        conducted.steps,
        experiment.load.deadline.seconds,
        conducted.end_s,
        answers,
        clock.epoch_s(conducted.zero_mono_s),
        conducted.cut,
    )
    checks = tuple(_checked(check, history) for check in case.checks)
    disturbances = tuple((ending.verdict, ending.reason) for ending in conducted.endings)
    interrupted = any(ending.interrupted for ending in conducted.endings)
    judgement = judge(story, objectives, checks, disturbances, interrupted, conducted.scenario)
    none: tuple[Failover, ...] = ()
    failovers = losses.result(
        "the phases of failovers",
        lambda: split_failovers(case.clusters, conducted, evidence, history.zero_wall_s),
        none,
    )
    return replace(
        bare(case, evidence, clock, conducted),
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        measurement=measurement,
        objectives=(*objectives, *as_objectives(checks)),
        checks=checks,
        failovers=failovers,
        detections=detections(story, checks),
        replication=series_of(story.lag, conducted.end_s),
        error_budget=_budget_of(story, case.allowance),
        cost=cost_of(case.pricing, conducted.usage, conducted.log, conducted.end_s),
    )


def _story(experiment: Experiment, conducted: Conducted) -> Story:
    """What is judged. What followed a cut is left out: by then the target was being put back."""
    log = conducted.log
    lag, lag_why = lag_in(conducted.answers, conducted.end_s)
    if conducted.cut:
        log = log[log.intended < conducted.end_s]
    if not len(log):
        return Story(experiment, log, None, conducted.steps, conducted.cut)
    marks = [(step.name, step.before_s) for step in conducted.steps if step.before_s is not None]
    limits = experiment.load.deadline.seconds, experiment.settle.seconds
    measurement = measure(log, *limits, 0.0, conducted.end_s, marks, exact=conducted.exact)
    generator = replace(measurement.generator, workers=len(log.worker.distinct()))
    if conducted.scenario is not None:
        generator = replace(generator, scenario_errors=conducted.scenario.failed)
    if conducted.offer is not None:
        generator = replace(generator, arrivals=conducted.offer.due_before(conducted.end_s))
    measurement = replace(measurement, generator=generator)
    load = account_of(experiment.load, conducted.offer, conducted.end_s)
    whole = (conducted.cut, load, lag, lag_why, conducted.exact)
    return Story(experiment, log, measurement, conducted.steps, *whole)


def _budget_of(story: Story, allowance: Allowance) -> ErrorBudget | None:
    spent = budget_spent(story.log, story.measurement) if story.measurement else None
    if spent is None:
        return None
    return ErrorBudget(allowance.slo, allowance.target, allowance.window_s, allowance.budget_s, spent)


def _checked(check: Check, history: History) -> CheckResult:
    """A check that crashes is unknown, and so is every check of a run that sent no request."""
    if not len(history.log):
        return CheckResult(check.name, Verdict.UNKNOWN, Reason.NOTHING_MEASURED())
    try:
        return check.judge(history)
    except Exception as error:  # whatever it is, it must not hide the rest of the verdict
        return CheckResult(
            check.name, Verdict.UNKNOWN, Reason.CHECK_FAILED(error=f"{type(error).__name__}: {error}")
        )
