"""From two files to a plan: everything is looked up and typed before anything is started.

Experiments speak in roles, targets bind them to drivers, and names lead to faults, actions and checks. All of
that meets here, so a plan that exists can be conducted, and all that is wrong is told at once.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from seatrial.checks import registry as checks_registry
from seatrial.checks.protocol import AsksForRecording, AsksForWrites, Check
from seatrial.faults import calling
from seatrial.faults import registry as faults_registry
from seatrial.faults.protocol import Fault, Role
from seatrial.lookups.asking import DRIVERS
from seatrial.lookups.failover import DRIVER as FAILS_OVER
from seatrial.lookups.recording import RECORDERS
from seatrial.model.arrivals import ArrivalSchedule, RateStep, with_spikes
from seatrial.model.document import Document, build
from seatrial.model.document import Path as DocumentPath
from seatrial.model.experiment import Experiment, RatePoint, Step
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, Problem
from seatrial.model.quantities import Duration, Rate
from seatrial.model.secrets import in_plain_sight, without_userinfo
from seatrial.model.target import Target, hosts_in, references, resolve, substitute
from seatrial.probes import Question
from seatrial.run import spike
from seatrial.run.files import Source, find
from seatrial.run.spike import Spike, SpikeParameters


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step whose fault or action, and role, are known and fit one another."""

    name: str  # unique in the run
    at_s: float
    for_s: float | None
    fault: Fault
    role: Role


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done to whom. `steps` are in the order of their instants."""

    experiment: Experiment
    experiment_text: str
    target: Target
    lookups: tuple[Role, ...]  # through which checks ask which writes the target holds
    clusters: tuple[Role, ...]  # of databases, whose logs tell of failovers
    recordings: tuple[Role, ...]  # which are recorded after the run, for checks to judge
    scenario: Path
    steady_state: tuple[Question, ...]
    guard_probes: tuple[Question | None, ...]  # one for each guard that goes by a probe, else None
    shape: tuple[RateStep, ...]  # spikes included
    spikes: tuple[Spike, ...]
    steps: tuple[PlannedStep, ...]
    checks: tuple[Check, ...]
    base_url: str = field(repr=False)  # resolved, for whoever connects; texts say `address`
    variables: Mapping[str, str] = field(repr=False)  # resolved, for the scenario alone

    @property
    def address(self) -> str:
        """Where the target is, for people: as its file says it, without `user:password@`."""
        return without_userinfo(self.target.base_url).rstrip("/")

    @property
    def arrivals(self) -> ArrivalSchedule:
        """The schedule of the measured part."""
        load = self.experiment.load
        return ArrivalSchedule(self.shape, self.experiment.duration.seconds, load.arrivals, load.seed)

    def lacking(self) -> list[str]:
        """What this machine or target lacks for some of it, each with the way to mend it."""
        wants = [(step.name, calling.lacking(step.fault)) for step in self.steps]
        bindings = self.target.roles
        wants += [(role, bindings[role].lacking) for role in self._roles() if role in bindings]
        return [f"{name}: {what}" for name, what in wants if what]

    def _roles(self) -> dict[str, None]:
        """The names of the roles that are needed, each once."""
        asked = [question.role for question in (*self.steady_state, *self.guard_probes) if question]
        roles = [*(step.role for step in self.steps), *self.lookups, *self.recordings, *asked]
        return dict.fromkeys(role.name for role in roles)


def make_plan(experiment: Source, target: Source, rate: Rate | None = None, confirm: str = "") -> Plan:
    """Resolve both files.

    `rate` replaces the experiment's rate. `confirm` must name the target if that is a production one. Raises
    BadInput with all problems of both files.
    """
    collected: list[Problem] = []
    with _collecting(collected):
        promised = build(Experiment, experiment.document)
    with _collecting(collected):
        system = build(Target, target.document)
    if collected:
        raise BadInput(collected)
    if rate is not None:
        load = promised.load.model_copy(update={"rate": (RatePoint(at=Duration(0.0), rate=rate),)})
        promised = promised.model_copy(update={"load": load})

    collected += _unset_variables(system, target.document)
    collected += _not_allowed(system, target.document)
    collected += _unconfirmed(system, target.document, confirm)
    scenario = find(promised.load.scenario, experiment.path)
    if scenario is None:
        collected.append(experiment.document.problem(("load", "scenario"), "no such file"))
    spikes = list(_spikes(promised, experiment.document, collected))
    steps = list(_steps(promised, experiment.document, system, target.path, collected))
    checks = list(_checks(promised, experiment.document, collected))
    collected += _dangling(promised, experiment.document)
    asking = [check.lookup_role() for check in checks if isinstance(check, AsksForWrites)]
    lookups = list(_asked(asking, DRIVERS, experiment.document, system, target.path, collected))
    asking = [check.recorded_role() for check in checks if isinstance(check, AsksForRecording)]
    recordings = list(_asked(asking, RECORDERS, experiment.document, system, target.path, collected))
    asker = _Asker(experiment.document, system, target.path, collected)
    steady = [
        asker.question(probe, "steady_state", index) for index, probe in enumerate(promised.steady_state)
    ]
    guarded = [
        asker.question(guard.probe, "guards", index) if guard.probe else None
        for index, guard in enumerate(promised.guards)
    ]
    if collected:
        raise BadInput(collected)
    assert scenario is not None
    in_plain_sight(experiment.document.text, target.document.text)
    _remember_secrets(promised, system)
    return Plan(
        experiment=promised,
        experiment_text=experiment.document.text,
        target=system,
        lookups=tuple(lookups),
        clusters=tuple(
            Role.of(system, name, target.path.parent)
            for name, binding in system.roles.items()
            if binding.driver == FAILS_OVER
        ),
        recordings=tuple(recordings),
        steady_state=tuple(steady),
        guard_probes=tuple(guarded),
        base_url=str(resolve(system.base_url, os.environ)).rstrip("/"),
        scenario=scenario,
        shape=with_spikes(
            [RateStep(point.at.seconds, point.rate) for point in promised.load.rate],
            [spike.window for spike in spikes],
        ),
        spikes=tuple(spikes),
        steps=tuple(sorted(steps, key=lambda step: step.at_s)),
        checks=tuple(checks),
        variables=resolve(system.variables, os.environ),
    )


@contextmanager
def _collecting(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except BadInput as error:
        problems += error.problems


def _remember_secrets(experiment: Experiment, target: Target) -> None:
    """All of them, before anything of theirs can come back from anywhere."""
    written = [target.model_dump(), experiment.model_dump(by_alias=True)]
    for name in references(written) & os.environ.keys():
        resolve(f"${{{name}}}", os.environ)


def _unset_variables(target: Target, document: Document) -> Iterator[Problem]:
    for name in sorted(references(target.model_dump()) - os.environ.keys()):
        yield document.problem((), f"the environment variable {name} is referenced and not set")


def _not_allowed(target: Target, document: Document) -> Iterator[Problem]:
    """Variables that would lead the load to hosts that it may not touch. A secret is not quoted."""
    for name, written in target.variables.items():
        if references(written) - os.environ.keys():
            continue  # which is told already
        for host in hosts_in(substitute(written, dict(os.environ))):
            if not target.allows(host):
                whose = f"the host {host}" if host and not references(written) else "the host of its URL"
                message = f"{whose} is not in allow: [{', '.join(target.allow)}]; load may not touch it"
                yield document.problem(("variables", name), message)


def _unconfirmed(target: Target, document: Document, confirm: str) -> Iterator[Problem]:
    if target.environment == "production" and confirm != target.target:
        message = f"a production target is only touched when it is named: --confirm {target.target}"
        yield document.problem(("environment",), message)


def _steps(
    experiment: Experiment,
    document: Document,
    target: Target,
    target_path: Path,
    problems: list[Problem],
) -> Iterator[PlannedStep]:
    taken: dict[str, int] = {}
    for index, step in enumerate(experiment.timeline):
        place: DocumentPath = ("timeline", index)
        if step.at.seconds >= experiment.duration.seconds:
            message = f"{step.at} is not within the run's duration of {experiment.duration}"
            problems.append(document.problem((*place, "at"), message))
        if step.fault == spike.NAME:
            continue
        try:
            fault = faults_registry.build(step.does, step.with_)
            role = Role.of(target, step.on, target_path.parent)
            faults_registry.bind(fault, role)
        except BadInput as error:
            problems += [_placed(document, place, step, problem) for problem in error.problems]
            continue
        taken[step.label] = taken.get(step.label, 0) + 1
        name = step.label if taken[step.label] == 1 else f"{step.label}-{taken[step.label]}"
        yield PlannedStep(name, step.at.seconds, step.for_.seconds if step.for_ else None, fault, role)


def _spikes(experiment: Experiment, document: Document, problems: list[Problem]) -> Iterator[Spike]:
    for index, step in enumerate(experiment.timeline):
        if step.fault != spike.NAME:
            continue
        if step.for_ is None:
            problems.append(document.problem(("timeline", index), "a spike needs an end: for: 10s"))
            continue
        try:
            times = SpikeParameters.model_validate(step.with_).times
        except ValidationError as error:
            path: DocumentPath = ("timeline", index, "with", *error.errors()[0]["loc"])
            problems.append(document.problem(path, error.errors()[0]["msg"].lower(), key=True))
            continue
        yield Spike(step.label, step.at.seconds, step.for_.seconds, times)


def _placed(document: Document, place: DocumentPath, step: Step, problem: Problem) -> Problem:
    """A registry's problem at the line and column of what it is about."""
    head, _, rest = problem.path.partition(".")
    if head == "with":
        inner: DocumentPath = (*place, "with", *(part for part in rest.split(".") if part))
        return document.problem(inner, problem.message, key=True)
    if "role" in problem.message and document.has((*place, "on")):
        return document.problem((*place, "on"), problem.message)
    kind = "fault" if step.fault is not None else "action"
    return document.problem((*place, kind), problem.message)


def _checks(experiment: Experiment, document: Document, problems: list[Problem]) -> Iterator[Check]:
    for index, check in enumerate(experiment.checks):
        place: DocumentPath = ("checks", index)
        try:
            yield checks_registry.build(check.check, check.with_)
        except BadInput as error:
            for problem in error.problems:
                inner = (*place, check.check, problem.path) if problem.path else place
                problems.append(document.problem(inner, problem.message, key=True))


@dataclass(frozen=True, slots=True)
class _Asker:
    """Binds probes to the roles that they ask."""

    document: Document
    target: Target
    target_path: Path
    problems: list[Problem]

    def question(self, probe: ProbeSpec, section: str, index: int) -> Question:
        """The probe and its role; a probe by HTTP without one asks the target itself."""
        whole = Role(
            "target", "http", {"url": self.target.base_url}, self.target.allow, str(self.target_path.parent)
        )
        if not probe.on:
            return Question(probe, whole)
        try:
            return Question(probe, Role.of(self.target, probe.on, self.target_path.parent))
        except BadInput as error:
            path: DocumentPath = (section, index)
            self.problems.extend(self.document.problem(path, problem.message) for problem in error.problems)
            return Question(probe, whole)


def _asked(
    wanted: list[str],
    drivers: Collection[str],
    document: Document,
    target: Target,
    target_path: Path,
    problems: list[Problem],
) -> Iterator[Role]:
    """The roles that checks want asked, through one of `drivers`."""
    for name in dict.fromkeys(wanted):
        try:
            role = Role.of(target, name, target_path.parent)
        except BadInput as error:
            problems += [document.problem(("checks",), problem.message) for problem in error.problems]
            continue
        if role.driver not in drivers:
            message = f"the role '{name}' is bound to driver '{role.driver}', not to {' or '.join(drivers)}"
            problems.append(document.problem(("checks",), message))
        yield role


def _dangling(experiment: Experiment, document: Document) -> Iterator[Problem]:
    """Objectives that count from a step that the timeline does not have."""
    names = {step.label for step in experiment.timeline}
    for kind in ("downtime", "recovery"):
        for index, objective in enumerate(getattr(experiment.objectives, kind)):
            if objective.after and objective.after not in names:
                path: DocumentPath = ("objectives", kind, index, "after")
                single: DocumentPath = ("objectives", kind, "after")
                known = ", ".join(sorted(names)) or "none; the timeline is empty"
                message = f"no step is called '{objective.after}'; there are: {known}"
                yield document.problem(path if document.has(path) else single, message)
