"""From a plan to a verdict with its evidence: conduct, measure, judge, write down."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from seatrial import columnar
from seatrial.checks.protocol import Check, History, Stored
from seatrial.checks.replicas import Recorded
from seatrial.incidents import Reporter
from seatrial.lookups import look_up
from seatrial.lookups import record as record_role
from seatrial.measure import measure
from seatrial.model.experiment import Experiment
from seatrial.model.problems import CannotStore, Interrupted, SeatrialError
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult, Failover, RunResult
from seatrial.model.role import Role
from seatrial.model.secrets import screened, shown, shown_in
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.clock import RunClock
from seatrial.run.conclusion import Backdrop, hand_over, record, unjudged, write_down
from seatrial.run.conductor import Conducted, Conductor
from seatrial.run.evidence import JOURNAL, Evidence, RunJournal
from seatrial.run.failover import split_failovers
from seatrial.run.judge import Story, judge, judge_objectives
from seatrial.run.losses import Losses
from seatrial.run.observer import Observer
from seatrial.run.openruns import HeldRun, OpenRun
from seatrial.run.plan import Plan
from seatrial.run.room import require_room

_PARTS = ("seatrial", "locust", "gevent", "httptools", "numpy", "arro3-core", "httpx")


@dataclass(frozen=True, slots=True)
class Execution:
    """A finished run: what came of it, where its evidence is, and what is not where it belongs yet."""

    result: RunResult
    evidence: Evidence
    defective: bool = False  # seatrial itself failed on the way; `defect.txt` in the evidence says where
    pending: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Of a command that runs this alone.

        A proven fail is told as one whatever else happened. Where we could not tell and it was our own
        defect, it is that which has to be mended before the run means anything.
        """
        if self.result.interrupted:
            return Interrupted.exit_code
        if self.defective and self.result.verdict is Verdict.UNKNOWN:
            return SeatrialError.exit_code
        return self.result.verdict.exit_code


@dataclass(frozen=True, slots=True)
class Case:
    """What a run is judged by: its promises, and whom to ask when it is over."""

    experiment: Experiment
    target: str
    checks: tuple[Check, ...]
    lookups: tuple[Role, ...] = ()
    recordings: tuple[Role, ...] = ()
    clusters: tuple[Role, ...] = ()

    @classmethod
    def of(cls, plan: Plan) -> Case:
        """That of a plan which has just been conducted."""
        return cls(
            *(plan.experiment, plan.target.target, plan.checks),
            *(plan.lookups, plan.recordings, plan.clusters),
        )


def execute(
    plan: Plan,
    home: Path,
    observer: Observer,
    stop: threading.Event,
    out: Path | None = None,
    reporter: Reporter | None = None,
) -> Execution:
    """Run `plan` to its end and keep the evidence. `stop` ends it early, from whatever thread sets it.

    `reporter` records the run and the incidents it causes, in one transaction. Raises BadInput when there can
    be no such evidence directory, CannotStore when there is no room for the run; nothing is started then, and
    nothing left behind. Everything else that goes wrong is a verdict.
    """
    require_room(
        plan.shape,
        plan.experiment.warmup.seconds,
        plan.experiment.duration.seconds,
        out or Path("runs"),
        home,
    )
    clock = RunClock.start()
    evidence = Evidence.create(plan.experiment.experiment, clock.anchor_wall, out)
    described = _describe(plan)
    opened = OpenRun(
        run=evidence.run,
        experiment=plan.experiment.experiment,
        target=plan.target.target,
        directory=str(evidence.directory),
        started_at=clock.anchor_wall.astimezone(UTC).isoformat(timespec="seconds"),
        command=shown(reporter.reproduce) if reporter else "",
        pid=os.getpid(),
    )
    try:
        held = openruns.begin(home, opened)
    except CannotStore:
        evidence.discard()
        raise
    with held:
        try:
            journal = _prepared(evidence, plan, described)
        except CannotStore:
            if evidence.discard():  # else whoever comes next gives it its end
                held.forget()
            raise
        record(reporter, lambda to: to.started(evidence.run, opened.experiment, opened.target))
        journal.write("run.started", clock.now(), clock.anchor_wall, run=evidence.run)
        conducted = Conductor(plan, evidence, journal, home, observer, stop, clock).conduct()
        backdrop = Backdrop(conducted.log, plan.experiment_text, plan.experiment, described)
        keeping = Keeping(evidence, journal, home, held, reporter, clock)
        return conclude(Case.of(plan), conducted, clock, backdrop, keeping)


def _prepared(evidence: Evidence, plan: Plan, described: Mapping[str, Any]) -> RunJournal:
    """Make durable what a verdict needs, should this process not live to give it. Raises CannotStore."""
    evidence.keep_room()
    evidence.write_text("experiment.yaml", plan.experiment_text)
    evidence.write_json("plan.json", described)
    return RunJournal(evidence.path(JOURNAL))


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the end of a run goes. `now`: a clock for what happens from here on."""

    evidence: Evidence
    journal: RunJournal
    home: Path
    held: HeldRun
    reporter: Reporter | None
    now: RunClock


def conclude(
    case: Case, conducted: Conducted, started: RunClock, backdrop: Backdrop, keeping: Keeping
) -> Execution:
    """From what happened to a verdict that is written down, sealed, recorded: whatever fails on the way."""
    evidence, journal = keeping.evidence, keeping.journal
    evidence.give_room()
    losses = Losses(evidence.directory, conducted.defects)
    nothing = unjudged(_bare(case, evidence, started, conducted))
    result = losses.result(
        "the judgement", lambda: judged(case, evidence, started, conducted, losses), nothing
    )
    now, told = keeping.now.now(), losses.told(result)
    journal.write("run.ended", now, keeping.now.wall(now), verdict=told.verdict, reasons=told.reasons)
    losses.done("the end of the run's journal", journal.close)
    result = write_down(result, backdrop, evidence, keeping.home, losses)
    pending = hand_over(keeping.held, result, losses, keeping.reporter)
    return Execution(result, evidence, bool(losses.defects), tuple(pending))


def _bare(case: Case, evidence: Evidence, clock: RunClock, conducted: Conducted) -> RunResult:
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
        measurement=None,
        steps=conducted.steps,
        covers=case.experiment.covers,
        scenario=conducted.scenario,
    )


def judged(
    plan: Case, evidence: Evidence, clock: RunClock, conducted: Conducted, losses: Losses
) -> RunResult:
    """The verdict on what was gathered; the target is asked for what checks want to know of it."""
    experiment = plan.experiment
    story = _story(experiment, conducted)
    measurement = story.measurement
    objectives = judge_objectives(story)
    asked, recorded = (plan.lookups, plan.recordings) if measurement else ((), ())
    history = History(
        conducted.log,
        conducted.steps,
        experiment.load.deadline.seconds,
        conducted.end_s,
        {role.name: _stored(role, conducted.log, evidence, losses) for role in asked},
        {role.name: _recorded(role, evidence, losses) for role in recorded},
        clock.epoch_s(conducted.zero_mono_s),
        conducted.cut,
    )
    checks = tuple(_checked(check, history) for check in plan.checks)
    disturbances = tuple((ending.verdict, ending.reason) for ending in conducted.endings)
    interrupted = any(ending.interrupted for ending in conducted.endings)
    judgement = judge(story, objectives, checks, disturbances, interrupted, conducted.scenario)
    none: tuple[Failover, ...] = ()
    failovers = losses.result(
        "the phases of failovers",
        lambda: split_failovers(plan.clusters, conducted, evidence, history.zero_wall_s),
        none,
    )
    return replace(
        _bare(plan, evidence, clock, conducted),
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        measurement=measurement,
        objectives=objectives,
        checks=checks,
        failovers=failovers,
    )


def _story(experiment: Experiment, conducted: Conducted) -> Story:
    """What is judged. Of a run that was cut short, nothing that came after: the target was being put back."""
    log = conducted.log
    if conducted.cut:
        log = log[log.intended < conducted.end_s]
    if not len(log):
        return Story(experiment, log, None, conducted.steps, conducted.cut)
    marks = [(step.name, step.before_s) for step in conducted.steps if step.before_s is not None]
    limits = experiment.load.deadline.seconds, experiment.settle.seconds
    measurement = measure(log, *limits, 0.0, conducted.end_s, marks)
    if conducted.scenario is not None:
        generator = replace(measurement.generator, scenario_errors=conducted.scenario.failed)
        measurement = replace(measurement, generator=generator)
    return Story(experiment, log, measurement, conducted.steps, conducted.cut)


def _stored(role: Role, log: RequestLog, evidence: Evidence, losses: Losses) -> Stored:
    """Ask the target which of the run's writes it holds, and keep the answer as evidence."""
    keys = sorted({key for key in log.keys if key is not None}) if log.keys is not None else []
    try:
        copies = look_up(role, keys)
    except Exception as error:  # whatever a target answers is at worst an unknown with its reason
        return Stored((), _said(error))
    columns: dict[str, list[str | None]] = {
        "id": [identity for identity, _ in copies],
        "content": [content and screened(content) for _, content in copies],
    }
    name = f"stored-{role.name}.parquet"
    losses.done(name, lambda: _keep_columns(evidence, name, columns))
    return Stored(copies)


def _keep_columns(evidence: Evidence, name: str, columns: Mapping[str, Sequence[str | None]]) -> None:
    with evidence.create_file(name) as file:
        columnar.write(columnar.texts_table(columns), file)


def _recorded(role: Role, evidence: Evidence, losses: Losses) -> Recorded:
    """Ask a role what it holds (regions, an audit log), and keep the answer as evidence."""
    directory = evidence.path(f"recorded-{role.name}")
    try:
        data = record_role(role, directory)
    except Exception as error:  # the same
        return Recorded(b"", _said(error))
    name = f"recorded-{role.name}.json"
    losses.done(name, lambda: evidence.write_text(name, data.decode()))
    return Recorded(data, directory=directory if directory.is_dir() else None)


def _said(error: Exception) -> str:
    """An error for people: our own words, or another's with their kind."""
    return str(error) if isinstance(error, SeatrialError) else f"{type(error).__name__}: {error}"


def _checked(check: Check, history: History) -> CheckResult:
    """A check that crashes has found nothing out, and so has one of a run in which nothing happened."""
    if not len(history.log):
        return CheckResult(check.name, Verdict.UNKNOWN, "nothing was measured")
    try:
        return check.judge(history)
    except Exception as error:  # whatever it is, it must not hide the rest of the verdict
        return CheckResult(
            check.name, Verdict.UNKNOWN, f"the check itself failed: {type(error).__name__}: {error}"
        )


def _describe(plan: Plan) -> dict[str, Any]:
    """The plan as resolved. Secrets stay references: the target is recorded as it was written.

    A command may have been given what a reference stands for; it is shown without.
    """
    described = {
        "experiment": plan.experiment.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "target": plan.target.model_dump(mode="json"),
        "scenario": plan.experiment.load.scenario,
        "steps": [
            {
                "name": step.name,
                "kind": step.fault.kind,
                "does": step.fault.name,
                "role": step.role.name,
                "planned_s": step.at_s,
            }
            for step in plan.steps
        ],
        "spikes": plan.arrival_changes,
        "versions": {part: _version(part) for part in _PARTS} | {"python": platform.python_version()},
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processors": str(os.cpu_count()),
            "architecture": platform.machine(),
            "root": "yes" if hasattr(os, "geteuid") and os.geteuid() == 0 else "no",
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        },
    }
    return shown_in(described)


def _version(part: str) -> str:
    try:
        return importlib.metadata.version(part)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
