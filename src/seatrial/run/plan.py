"""From two files to a plan: everything is looked up and typed before anything is started.

Experiments speak in roles, targets bind them to drivers, and names lead to faults, actions and checks. All of
that meets here, so a plan that exists can be conducted, and all that is wrong is told at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import drivers
from seatrial.checks.protocol import Check
from seatrial.extras import HTTP2
from seatrial.files import Source
from seatrial.load.dataset import DataFile
from seatrial.load.workers import Elsewhere
from seatrial.lookups.failover import DRIVER as FAILS_OVER
from seatrial.model.arrivals import ArrivalSchedule, RateStep, with_spikes
from seatrial.model.document import build
from seatrial.model.errorbudget import THREE_NINES, Allowance
from seatrial.model.experiment import Experiment
from seatrial.model.load import RateSegment
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.problems import BadInput, Problem, Problems
from seatrial.model.quantities import Duration
from seatrial.model.references import references, resolve
from seatrial.model.role import Role
from seatrial.model.secrets import in_plain_sight, without_userinfo
from seatrial.model.target import Target
from seatrial.model.workers import ALONE, Workers
from seatrial.probes import Question
from seatrial.run.arrivalchange import ArrivalChange
from seatrial.run.binding import Binder
from seatrial.run.data import bind_data, require_enough
from seatrial.run.draft import Draft
from seatrial.run.needs import BoundNeed, bind_checks
from seatrial.run.questions import bind_probes
from seatrial.run.roles import Roles
from seatrial.run.scenario import bind_scenarios
from seatrial.run.slo import SloFile, bind_slo
from seatrial.run.steps import PlannedStep, bind_timeline
from seatrial.run.usage import bind_usage
from seatrial.undo import calling

if TYPE_CHECKING:
    from seatrial.run.replay import Replayed

__all__ = ["Plan", "PlannedStep", "make_plan", "problems_of_plan", "problems_of_target"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done to whom. `steps` are in the order of their instants."""

    experiment: Experiment
    experiment_text: str
    target: Target
    scenarios: tuple[Path, ...]
    shape: tuple[RateStep, ...]  # with the changes of the arrivals
    arrival_changes: tuple[ArrivalChange, ...]
    steps: tuple[PlannedStep, ...]
    steady_state: tuple[Question, ...]
    guard_probes: tuple[Question | None, ...]  # one for each guard that goes by a probe, else None
    checks: tuple[Check, ...]
    needs: tuple[BoundNeed, ...]  # of the checks: who is asked for them, by whom
    clusters: tuple[Role, ...]  # of databases, whose logs tell of failovers
    base_url: str = field(repr=False)  # resolved, for whoever connects; texts say `address`
    variables: Mapping[str, str] = field(repr=False)  # resolved, for the scenario alone
    data: DataFile | None = None  # whose rows are fed to arrivals
    replay: Replayed | None = None  # whose requests are the arrivals, in place of the shape's
    slo: SloFile | None = None  # whose promise is among the objectives
    experiment_file: Path = Path()
    target_file: Path = Path()
    whole: Role | None = None  # the target itself
    workers: Workers = ALONE  # who share the load
    elsewhere: Elsewhere | None = field(default=None, repr=False)  # starts those of other machines
    usage_roles: Mapping[str, Role] = field(default_factory=dict)  # that tell how much is used, by name

    @property
    def address(self) -> str:
        """Where the target is, for people: as its file says it, without `user:password@`."""
        return without_userinfo(self.target.base_url).rstrip("/")

    @property
    def allowance(self) -> Allowance:
        """The error budget that the run is held against."""
        return self.slo.allowance if self.slo else THREE_NINES

    @property
    def arrivals(self) -> ArrivalSchedule:
        """The schedule of the measured part."""
        load = self.experiment.load
        return ArrivalSchedule(self.shape, self.experiment.duration.seconds, load.arrivals, load.seed)

    def lacking(self) -> list[str]:
        """What this machine or target lacks for some of it, each with the way to mend it."""
        wants = [(step.name, calling.lacking(step.fault)) for step in self.steps]
        if self.experiment.load.http == "2":
            wants.append(("load", HTTP2.lacking()))
        bindings = self.target.roles
        for role in filter(bindings.__contains__, self.roles()):
            wants += [(role, bindings[role].lacking or drivers.lacking(bindings[role].driver))]
        return [f"{name}: {what}" for name, what in wants if what]

    def roles(self) -> dict[str, None]:
        """The names of the roles that are needed, each once."""
        asked = [question.role for question in (*self.steady_state, *self.guard_probes) if question]
        told = (bound.role for bound in self.needs if not bound.lacking)  # which costs its check alone
        roles = [*(step.role for step in self.steps), *told, *asked]
        return dict.fromkeys(role.name for role in roles)


def make_plan(experiment: Source, target: Source, rate: OfferedRate | None = None, confirm: str = "") -> Plan:
    """Resolve both files.

    `rate` replaces the experiment's rate. `confirm` must name the target if that is a production one. Raises
    BadInput with all problems of both files.
    """
    problems = Problems()
    plan = _plan(experiment, target, rate, confirm, problems)
    problems.tell()
    assert plan is not None  # or there would have been a problem
    return plan


def problems_of_target(target: Source, confirm: str = "") -> list[Problem]:
    """All that is wrong with a target, whatever is to be done to it."""
    problems = Problems()
    Roles.of(target, confirm, problems)
    return list(problems)


def problems_of_plan(experiment: Source, target: Source | None, confirm: str = "") -> list[Problem]:
    """All that is wrong with an experiment on a target; without a target, as much as can be told."""
    problems = Problems()
    _plan(experiment, target, None, confirm, problems)
    return list(problems)


def _plan(
    experiment: Source, target: Source | None, rate: OfferedRate | None, confirm: str, problems: Problems
) -> Plan | None:
    """The plan, unless there are problems: every part is bound, whatever is wrong with another."""
    for source in filter(None, (experiment, target)):
        _know_secrets(source)
    promised: Experiment | None = None
    with problems.collected():
        promised = build(Experiment, experiment.document)
    roles = Roles.of(target, confirm, problems) if target else None
    draft, binder = Draft.of(experiment.document), Binder(experiment.document, roles, problems)
    scenarios = bind_scenarios(draft, experiment, problems)
    data = bind_data(draft, experiment, problems)
    replay = _replay(promised, experiment, problems)
    slo = bind_slo(draft, experiment, problems)
    timeline, judges = bind_timeline(draft, binder), bind_checks(draft, binder)
    questions = bind_probes(draft, binder)
    usage = bind_usage(roles, problems) if roles else {}
    if len(problems) or promised is None or roles is None:
        return None
    promised = _at_rate(slo.promised(promised) if slo else promised, rate)
    shape = with_spikes(
        [replay.rate] if replay else promised.load.steps,
        [change.window for change in timeline.arrival_changes],
    )
    if replay and timeline.arrival_changes:
        spike = timeline.arrival_changes[0]
        raise BadInput(f"{spike.name}: {spike.does} changes a rate, and arrivals are those of a log")
    require_enough(data, promised, shape, experiment.document, problems)
    return Plan(
        experiment=promised,
        experiment_text=experiment.document.text,
        target=roles.target,
        scenarios=tuple(scenarios),
        shape=shape,
        data=data,
        replay=replay,
        slo=slo,
        arrival_changes=timeline.arrival_changes,
        steps=timeline.steps,
        steady_state=questions.steady_state,
        guard_probes=questions.guards,
        checks=judges.checks,
        needs=judges.needs,
        clusters=roles.bound_to(FAILS_OVER),
        base_url=str(resolve(roles.target.base_url, os.environ)).rstrip("/"),
        variables=resolve(roles.target.variables, os.environ),
        experiment_file=experiment.path,
        target_file=roles.source.path,
        whole=roles.whole(),
        usage_roles=usage,
    )


def _replay(promised: Experiment | None, experiment: Source, problems: Problems) -> Replayed | None:
    """The log whose requests are offered again, if there is one: its readers load what few plans need."""
    if promised is None or promised.load.replay is None:
        return None
    from seatrial.run.replay import bind_replay  # noqa: PLC0415

    return bind_replay(promised, experiment, problems)


def _at_rate(experiment: Experiment, rate: OfferedRate | None) -> Experiment:
    """The experiment, at another rate if one is given. Raises BadInput for one that cannot be found out."""
    if rate is None:
        return experiment
    if rate.counts == "requests" and not experiment.warmup.seconds:
        raise BadInput("--rate: requests are counted in the warm-up, and the experiment has none")
    if experiment.load.replay is not None:
        raise BadInput(
            "arrivals are those of a log, at no one rate; 'times' and 'speed' of the replay scale them"
        )
    load = experiment.load.model_copy(update={"rate": (RateSegment(at=Duration(0.0), rate=rate),)})
    return experiment.model_copy(update={"load": load})


def _know_secrets(source: Source) -> None:
    """Remember every secret before it can turn up in an answer. What stands in the file is no secret."""
    in_plain_sight(source.document.text)
    for name in references(source.document.data) & os.environ.keys():
        resolve(f"${{{name}}}", os.environ)
