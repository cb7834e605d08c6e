"""From a plan to a verdict with its evidence: conduct, measure, judge, write down."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seatrial.checks.protocol import Check, History, Stored
from seatrial.checks.replicas import Recorded
from seatrial.faults.protocol import Role
from seatrial.home import make_private
from seatrial.incidents import Reporter
from seatrial.lookups import look_up, record
from seatrial.measure import measure
from seatrial.model.experiment import Experiment
from seatrial.model.problems import SeatrialError, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult, RunResult
from seatrial.model.secrets import screened, shown_in
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, junit, render_html
from seatrial.report.verdictfile import verdict_document
from seatrial.run.clock import RunClock
from seatrial.run.conductor import Conducted, Conductor, Ending
from seatrial.run.evidence import Evidence, RunJournal, file_digest
from seatrial.run.failover import split_failovers
from seatrial.run.judge import Story, doubt_of, judge, judge_objectives
from seatrial.run.observer import Observer
from seatrial.run.plan import Plan
from seatrial.run.sealing import seal_evidence

_log = logging.getLogger(__name__)

_PARTS = ("seatrial", "locust", "gevent", "httptools", "numpy", "pyarrow", "httpx")


@dataclass(frozen=True, slots=True)
class Execution:
    """A finished run: what came of it, and where its evidence is."""

    result: RunResult
    evidence: Evidence


def execute(
    plan: Plan,
    home: Path,
    observer: Observer,
    stop: threading.Event,
    out: Path | None = None,
    reporter: Reporter | None = None,
) -> Execution:
    """Run `plan` to its end and keep the evidence. `stop` ends it early, from whatever thread sets it.

    `reporter` records the run and the incidents it causes, in one transaction. Raises BadInput when no
    evidence directory can be made. Everything else that goes wrong is a verdict.
    """
    clock = RunClock.start()
    evidence = Evidence.create(plan.experiment.experiment, clock.anchor_wall, out)
    evidence.write_text("experiment.yaml", plan.experiment_text)
    described = _describe(plan)
    evidence.write_json("plan.json", described)
    journal = RunJournal(evidence.path("journal.jsonl"))
    _record(reporter, lambda to: to.started(evidence.run, plan.experiment.experiment, plan.target.target))
    try:
        journal.write("run.started", clock.now(), clock.anchor_wall, run=evidence.run)
        conducted = _conduct(plan, evidence, journal, home, observer, stop, clock)
        result = _judged(plan, evidence, clock, conducted)
        now = clock.now()
        journal.write("run.ended", now, clock.wall(now), verdict=result.verdict, reasons=result.reasons)
    finally:
        journal.close()
    result = replace(shown_in(result), evidence=evidence.manifest())
    _write_down(plan, described, evidence, home, conducted, result)
    seal_evidence(evidence, home)
    make_private(evidence.directory)
    _record(reporter, lambda to: to.finished(result))
    return Execution(result, evidence)


def _record(reporter: Reporter | None, tell: Callable[[Reporter], object]) -> None:
    """A run database that is away costs its record, never the run or its evidence."""
    if reporter is None:
        return
    try:
        tell(reporter)
    except Unavailable as error:
        _log.error("the run database was not told: %s", error)


def _conduct(
    plan: Plan,
    evidence: Evidence,
    journal: RunJournal,
    home: Path,
    observer: Observer,
    stop: threading.Event,
    clock: RunClock,
) -> Conducted:
    conductor = Conductor(plan, evidence, journal, home, observer, stop, clock)
    try:
        return conductor.conduct()
    except SeatrialError as error:
        return conductor.nothing(Ending(Verdict.UNKNOWN, str(error)))


def _judged(plan: Plan, evidence: Evidence, clock: RunClock, conducted: Conducted) -> RunResult:
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
        {role.name: _stored(role, conducted.log, evidence) for role in asked},
        {role.name: _recorded(role, evidence) for role in recorded},
        clock.epoch_s(conducted.zero_mono_s),
        conducted.cut,
    )
    checks = tuple(_checked(check, history) for check in plan.checks)
    disturbances = tuple((ending.verdict, ending.reason) for ending in conducted.endings)
    interrupted = any(ending.interrupted for ending in conducted.endings)
    judgement = judge(story, objectives, checks, disturbances, interrupted, conducted.scenario)
    return RunResult(
        run=evidence.run,
        experiment=experiment.experiment,
        title=experiment.title,
        target=plan.target.target,
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        started_at=clock.anchor_wall.astimezone(UTC).isoformat(timespec="seconds"),
        interrupted=interrupted,
        measurement=measurement,
        objectives=objectives,
        steps=conducted.steps,
        checks=checks,
        covers=experiment.covers,
        failovers=split_failovers(plan, conducted, evidence, history.zero_wall_s),
        scenario=conducted.scenario,
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


def _stored(role: Role, log: RequestLog, evidence: Evidence) -> Stored:
    """Ask the target which of the run's writes it holds, and keep the answer as evidence."""
    keys = sorted(set(log.keys.drop_null().to_pylist())) if log.keys is not None else []
    try:
        copies = look_up(role, keys)
    except SeatrialError as error:
        return Stored((), str(error))
    table = pa.table({
        "id": pa.array([identity for identity, _ in copies], pa.utf8()),
        "content": pa.array([content and screened(content) for _, content in copies], pa.utf8()),
    })  # fmt: skip
    with evidence.create_file(f"stored-{role.name}.parquet") as file:
        pq.write_table(table, file, compression="zstd")
    return Stored(copies)


def _recorded(role: Role, evidence: Evidence) -> Recorded:
    """Ask a role what it holds (regions, an audit log), and keep the answer as evidence."""
    directory = evidence.path(f"recorded-{role.name}")
    try:
        data = record(role, directory)
    except SeatrialError as error:
        return Recorded(b"", str(error))
    evidence.write_text(f"recorded-{role.name}.json", data.decode())
    return Recorded(data, directory=directory if directory.is_dir() else None)


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


def _write_down(
    plan: Plan,
    described: Mapping[str, Any],
    evidence: Evidence,
    home: Path,
    conducted: Conducted,
    result: RunResult,
) -> None:
    evidence.write_json("verdict.json", verdict_document(result))
    evidence.write_text("junit.xml", junit(result))
    dossier = Dossier(
        result=result,
        log=conducted.log if len(conducted.log) else None,
        experiment_yaml=plan.experiment_text,
        hypothesis=plan.experiment.hypothesis,
        versions=described["versions"],
        machine=described["machine"],
        digests={
            name: file_digest(evidence.path(name))
            for name in sorted(set(result.evidence.values()))
            if evidence.path(name).is_file()
        },
        calibration=_calibration(home),
        events=_events(evidence.path("journal.jsonl")),
        generator_doubt=doubt_of(result.measurement, plan.experiment) if result.measurement else "",
    )
    evidence.write_text("report.html", render_html(dossier))


def _describe(plan: Plan) -> dict[str, Any]:
    """The plan as resolved. Secrets stay references: the target is recorded as it was written.

    A command may have been given what a reference stands for; it is shown without.
    """
    described = {
        "experiment": plan.experiment.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "target": plan.target.model_dump(mode="json"),
        "scenario": plan.experiment.load.scenario,
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


def _calibration(home: Path) -> Mapping[str, Any] | None:
    try:
        data = json.loads((home / "calibration.json").read_text())
    except (OSError, ValueError):
        return None  # never calibrated on this machine: the report says so
    return data if isinstance(data, dict) else None


def _events(journal: Path) -> tuple[Mapping[str, Any], ...]:
    return tuple(json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())
