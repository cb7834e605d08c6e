"""Finds how much a service carries: runs an experiment at one rate after the other, as the search decides.

    runs/<utc>-<experiment>-capacity/      capacity.json, report.html, verdict.json: written before the first
                                           trial and after each, so that whoever is killed leaves what he knew
                                    /01/   the evidence of each trial, a run like any other

A trial whose promise breaks is what the search is for: trials are not put into the run database, and wake
nobody. The search as a whole is recorded, as a run of `<experiment>-capacity` with the objective `capacity`.
"""

from __future__ import annotations

import json
import math
import shlex
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from seatrial.capacity.found import Found, Trial, capacity_document, result_of
from seatrial.capacity.objective import told, with_errors
from seatrial.capacity.search import Settings, Stop, next_rate
from seatrial.files import Source
from seatrial.model.capacity import name_of
from seatrial.model.experiment import Objectives
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.problems import BadInput, Problems, SeatrialError, Unavailable
from seatrial.model.quantities import Duration, Rate, Ratio
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict
from seatrial.model.workers import Workers
from seatrial.provenance import Part, changes
from seatrial.report.capacitypage import render_capacity
from seatrial.report.verdictfile import verdict_document
from seatrial.run.conclusion import VERDICT, record
from seatrial.run.description import description_of, parts_of
from seatrial.run.evidence import Evidence
from seatrial.run.execute import execute
from seatrial.run.fleet import sharing
from seatrial.run.origin import origin_of
from seatrial.run.plan import Plan, make_plan
from seatrial.run.sealing import seal_evidence
from seatrial.run.undone import troubled
from seatrial.trials.caller import Caller
from seatrial.trials.capacitytrial import trial_of
from seatrial.trials.examination import examined
from seatrial.trials.records import open_records
from seatrial.trials.recovery import recover_first
from seatrial.trials.request import TrialRequest
from seatrial.trials.targets import home, target_in_service, tenants_wanted

DOCUMENT, PAGE = "capacity.json", "report.html"
_AROUND_S = 5.0  # a run takes about so much more than its load: a process starts, a report is written


@dataclass(frozen=True, slots=True)
class CapacityRequest:
    """What is asked for. `objectives`: in place of the experiment's, if it promises anything.

    `trial`: how long each is measured, in place of the experiment's duration. `cool_down_s`: between two of
    them, so that no trial meets what the one before has left in queues. `budget_s`: for the whole.
    """

    trial: TrialRequest
    first: OfferedRate
    search: Settings
    objectives: Objectives = field(default_factory=Objectives)
    duration: Duration | None = None
    cool_down_s: float = 2.0
    budget_s: float | None = None

    def at(self, per_s: float) -> OfferedRate:
        """A rate in the unit of the first."""
        per = self.first.rate.per_s
        return OfferedRate(Rate(round(per_s * per, 6), per), self.first.counts)


@dataclass(frozen=True, slots=True)
class CapacityFound:
    """A search that is over, where its evidence is, and what is not where it belongs."""

    found: Found
    result: RunResult
    evidence: Evidence
    pending: tuple[str, ...] = ()


def find_capacity(
    request: CapacityRequest,
    caller: Caller,
    *,
    tell: Callable[[Trial], None] = lambda _: None,
    problems: Problems | None = None,
) -> CapacityFound:
    """Search. `tell` hears of each trial as it ends. Raises BadInput with all that is wrong."""
    source = examined(request.trial, problems)
    recover_first(caller)
    plan_for = partial(_planned, request, source)
    first = partial(plan_for, rate=request.first)
    wanted = request.trial
    with target_in_service(wanted.target, wanted.no_testbed, tenants_wanted(source), first, caller) as system:
        with sharing(first(system), wanted.workers, caller.say, again=True) as plan:
            # looked at once; each trial has them anew, and who comes by himself was told where to
            workers = plan.workers if wanted.workers.expected else wanted.workers
        with caller.shielded() as stop:
            evidence = Evidence.create(
                name_of(plan.experiment.experiment), datetime.now(UTC), request.trial.evidence
            )
            evidence.write_text("experiment.yaml", plan.experiment_text)
            evidence.write_json("plan.json", _described(plan))
            search = _Search(request, partial(plan_for, system), workers, evidence, caller, stop, tell)
            return search.through(plan)


def _planned(request: CapacityRequest, source: Source, system: Source, rate: OfferedRate) -> Plan:
    """The experiment at one rate, with what a rate must keep to count as held. Raises BadInput."""
    plan = make_plan(source, system, rate=rate, confirm=request.trial.confirm)
    promised = plan.experiment
    objectives = request.objectives if request.objectives != Objectives() else promised.objectives
    if objectives == Objectives():
        raise BadInput(
            "--objective: the experiment promises nothing that could hold; say what: 'p95 < 900ms'"
        )
    if plan.arrival_changes:
        raise BadInput(f"{plan.arrival_changes[0].name}: a spike changes the rate that is to be tried")
    changed = {"objectives": with_errors(objectives), "duration": request.duration or promised.duration}
    length_s = changed["duration"].seconds  # type: ignore[attr-defined]
    if late := next((step for step in plan.steps if step.at_s + (step.for_s or 0.0) > length_s), None):
        raise BadInput(f"--trial {request.duration}: {late.name} is not over by then")
    return replace(plan, experiment=promised.model_copy(update=changed))


@dataclass(slots=True)
class _Search:
    request: CapacityRequest
    plan_at: Callable[[OfferedRate], Plan]
    workers: Workers  # who come anew for each trial
    evidence: Evidence
    caller: Caller
    stop: threading.Event
    tell: Callable[[Trial], None]
    began_s: float = field(default_factory=time.monotonic)
    parts: tuple[Part, ...] = ()  # what the first trial is made of, and each must be

    def through(self, plan: Plan) -> CapacityFound:
        """All of it, from the first trial to the record."""
        experiment = plan.experiment
        found = Found(
            run=self.evidence.run,
            experiment=experiment.experiment,
            title=experiment.title,
            target=plan.target.target,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            objectives=told(experiment.objectives),
            counts=self.request.first.counts,
            settings=self.request.search,
            covers=experiment.covers,
        )
        self.parts = tuple(parts_of(plan))
        self._write(found)
        with open_records(self.caller.say) as records:
            reporter = records.reporter(experiment, self._command(plan)) if records else None
            record(reporter, lambda to: to.started(found.run, name_of(found.experiment), found.target))
            found = self._searched(found)
            result, pending = self._conclude(found)
            if not record(reporter, lambda to: to.finished(result, origin_of(self.evidence.directory))):
                way_out = f"seatrial report import {self.evidence.directory}"
                pending = (*pending, f"{found.run} is not in the run database yet: {way_out}")
            if records:
                records.deliver(self.caller.say)
        return CapacityFound(found, result, self.evidence, pending)

    def _searched(self, found: Found) -> Found:
        usual_s = 0.0
        while found.stop is None:
            wanted = next_rate([trial.tried for trial in found.trials], found.settings)
            if isinstance(wanted, Stop):
                return replace(found, stop=wanted)
            if self.stop.is_set() or (found.trials and self.stop.wait(self.request.cool_down_s)):
                return replace(found, stop=Stop.BUDGET, interrupted=True)
            try:
                plan = self.plan_at(self.request.at(wanted))
            except BadInput as error:  # for which there was nothing wrong when the search began
                return replace(found, stop=Stop.CHANGED, changed=str(error))
            length_s = plan.experiment.warmup.seconds + plan.experiment.duration.seconds + _AROUND_S
            if not self._in_time(max(usual_s, length_s)):
                return replace(found, stop=Stop.BUDGET)
            began_s = time.monotonic()
            found = self._tried(found, plan, wanted)
            usual_s = max(usual_s, time.monotonic() - began_s)
            self._write(found)
        return found

    def _in_time(self, length_s: float) -> bool:
        """Whether another trial ends within the budget."""
        budget_s = self.request.budget_s
        return budget_s is None or time.monotonic() - self.began_s + length_s <= budget_s

    def _tried(self, found: Found, plan: Plan, rate_per_s: float) -> Found:
        if changed := self._changed(plan):
            return replace(found, stop=Stop.CHANGED, changed=changed)
        number = len(found.trials) + 1
        directory = self.evidence.path(f"{number:02d}")
        with ExitStack() as stack:
            try:
                shared = stack.enter_context(sharing(plan, self.workers, lambda _: None))
            except (BadInput, Unavailable) as error:
                self.caller.say(str(error))
                return replace(found, stop=Stop.WORKERS)
            view = stack.enter_context(self.caller.watching(shared, self.stop))
            execution = execute(shared, home(), view, self.stop, directory, of_a_search=True)
        if execution.result.interrupted:
            return replace(found, stop=Stop.BUDGET, interrupted=True)
        if (
            changed := self._changed(plan)
        ) and not execution.result.left_behind:  # before it was read, or after
            return replace(found, stop=Stop.CHANGED, changed=changed)
        trial = trial_of(number, execution, plan, self.request.at(rate_per_s), rate_per_s)
        self.tell(trial)
        found = replace(found, trials=(*found.trials, trial))
        left = tuple(sentence for _, sentence in troubled(execution.result.steps, told=False))
        if execution.result.left_behind:
            return replace(found, stop=Stop.LEFT_BEHIND, left_behind=left)
        return found

    def _changed(self, plan: Plan) -> str:
        """What trials are made of and is not as it was for the first of them; "" when all is."""
        return changes(self.parts, {part.file: part.sha256 for part in parts_of(plan)})

    def _write(self, found: Found) -> RunResult:
        """Every file that tells of the search, as far as it has come. Raises CannotStore."""
        document = capacity_document(found, str(self.evidence.directory))
        result = result_of(
            found, {"capacity": DOCUMENT, "experiment": "experiment.yaml", "plan": "plan.json"}
        )
        self.evidence.write_json(DOCUMENT, document)
        self.evidence.write_text(PAGE, render_capacity(document))
        text = json.dumps(verdict_document(result), indent=2, ensure_ascii=False) + "\n"
        self.evidence.write_text(VERDICT, text)
        return result

    def _conclude(self, found: Found) -> tuple[RunResult, tuple[str, ...]]:
        """Write it all and seal it; what does not work is told."""
        try:
            result = self._write(found)
            seal_evidence(self.evidence, home())
        except SeatrialError as error:
            result = result_of(found, {})
            verdict = Verdict.merge([result.verdict, Verdict.UNKNOWN])
            lost = f"its evidence is not whole: {error}"
            return replace(result, verdict=verdict, reasons=(*result.reasons, lost)), (lost,)
        return result, ()

    def _command(self, plan: Plan) -> str:
        request, search = self.request, self.request.search
        limits = ", ".join(told(plan.experiment.objectives)) if request.objectives != Objectives() else ""
        options = {
            "--from": str(request.first),
            "--to": str(request.at(search.to_per_s)) if math.isfinite(search.to_per_s) else "",
            "--objective": limits,
            "--trial": str(request.duration or ""),
            "--cool-down": str(Duration(request.cool_down_s)),
            "--budget": str(Duration(request.budget_s)) if request.budget_s is not None else "",
            "--within": str(Ratio(search.width)),
            "--repeats": str(search.repeats),
        }
        given = [word for option, value in options.items() if value for word in (option, value)]
        run = request.trial.command(plan).removeprefix("seatrial run ")
        return f"seatrial capacity {run} {shlex.join(given)}"


def _described(plan: Plan) -> dict[str, Any]:
    """`plan.json`, without a rate: each trial has its own."""
    described = description_of(plan)
    del described["experiment"]["load"]["rate"]
    return described
