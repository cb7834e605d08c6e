"""Runs whose conductor died (killed, crashed, power lost) are brought to their end: undone, judged, sealed.

    faults undone ─► load generator gone ─► spool + journals ─► judged as a live run is ─► sealed, recorded

A story that was cut short breaks no promise, so the verdict is unknown; only a fault that could not be undone
makes it a fail. Everything that is needed was durable before the first effect. Each part can be done again:
whoever is killed while finishing leaves the run to the next.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import disk
from seatrial.checks import registry as checks_registry
from seatrial.load.clocks import Told, exactness
from seatrial.load.launch import REQUESTS, SPOOLS, end_left_over
from seatrial.load.parquet import save
from seatrial.load.spools import Spools
from seatrial.measure.importers import read
from seatrial.model.document import build, parse
from seatrial.model.errorbudget import THREE_NINES, Allowance
from seatrial.model.experiment import Experiment, Objectives
from seatrial.model.load import Load
from seatrial.model.pricing import Pricing
from seatrial.model.problems import BadInput, CannotStore, SeatrialError, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import RunResult, StepRecord
from seatrial.model.verdict import Verdict
from seatrial.processes import boot_id
from seatrial.report.verdictfile import read_verdict
from seatrial.run import openruns
from seatrial.run.arrivalchange import ArrivalChange
from seatrial.run.case import Case
from seatrial.run.clock import RunClock
from seatrial.run.conclusion import VERDICT, Backdrop, hand_over, write_down
from seatrial.run.conductor import Conducted, RunEnding
from seatrial.run.evidence import JOURNAL, Evidence, RunJournal, read_journal
from seatrial.run.execute import Execution, Keeping, conclude
from seatrial.run.losses import Losses
from seatrial.run.openruns import Finished, HeldRun, OpenRun
from seatrial.run.sealing import is_sealed, seal_evidence
from seatrial.run.usage import EVENT as USAGE
from seatrial.run.usage import told_in
from seatrial.run.version import EVENT, version_in
from seatrial.undo.clock import Instant
from seatrial.undo.injection import Life
from seatrial.undo.journal import Journal, What
from seatrial.undo.recover import recover as undo_what_is_left
from seatrial.undo.session import journal_path

if TYPE_CHECKING:
    from seatrial.run.openruns import OpenReporters, Reporters

CUT_SHORT = "interrupted: its conductor died (killed, crashed, power lost); the run was finished afterwards"


def finish_at(directory: Path, home: Path, open_reporters: OpenReporters) -> RunResult:
    """Undo what is left, and finish the run whose evidence is in `directory`.

    Raises BadInput when none is known there, or it still goes on; Unavailable when it cannot be finished.
    """
    for held in openruns.left(home):
        if Path(held.run.directory) == directory.resolve():
            undo_what_is_left(home)
            with open_reporters() as reporters:
                done = finished(held, home, reporters)
            if done.result is None:
                raise Unavailable("; ".join(done.pending))
            return done.result
    raise BadInput(f"{directory}: there is no {VERDICT}; no run is known there, or it still goes on")


def finished(held: HeldRun, home: Path, reporters: Reporters) -> Finished:
    """Finish a run. One that cannot be finished now is left for a later try, and stops no other."""
    try:
        result, pending = finish(held, home, reporters)
    except SeatrialError as error:
        return Finished(held.run, None, (str(error),))
    except Exception as error:  # evidence of another version, or written into: it must block no run
        reason = f"seatrial itself failed at it: {type(error).__name__}: {error}"
        return Finished(held.run, None, (reason, f"to have it left alone, take away {held.path}"))
    return Finished(held.run, result, tuple(pending))


def finish(held: HeldRun, home: Path, reporters: Reporters) -> tuple[RunResult, list[str]]:
    """Bring a run to its end: its result, and what is not where it belongs yet.

    Raises SeatrialError when its load generator cannot be ended or its evidence cannot be read or written.
    """
    evidence = Evidence(Path(held.run.directory), held.run.run)
    end_left_over(evidence.directory)
    remains = _Remains.of(evidence)
    reporter = reporters(remains.experiment, held.run.command)
    losses = Losses(evidence.directory)
    if not evidence.directory.is_dir():
        gone = _decided(held, evidence) or _bare(held.run, f"its evidence, {evidence.directory}, is gone")
        return gone, hand_over(held, gone, losses, reporter)
    decided = _decided(held, evidence)
    if decided is None and remains.experiment is not None:
        keeping = Keeping(
            evidence, RunJournal(evidence.path(JOURNAL)), home, held, reporter, RunClock.start()
        )
        execution = _judged(remains.experiment, remains, keeping)
        return execution.result, list(execution.pending)
    result = decided or _bare(held.run, "nothing had been started")
    if is_sealed(evidence):
        losses.done("the seal", lambda: seal_evidence(evidence, home))  # it may lack its signature
        return losses.told(result), hand_over(held, result, losses, reporter)
    evidence.give_room()
    result = write_down(result, remains.backdrop, evidence, home, losses)
    return result, hand_over(held, result, losses, reporter)


@dataclass(frozen=True, slots=True)
class _Remains:
    """What is there of a run that did not come to its end. `experiment` is None when nothing was started."""

    evidence: Evidence
    experiment: Experiment | None
    text: str
    described: Mapping[str, Any]  # plan.json
    events: tuple[Mapping[str, Any], ...]
    log: RequestLog
    spools: Spools
    clocks: tuple[Told, ...]
    spoiled: str  # why there are no more rows

    @classmethod
    def of(cls, evidence: Evidence) -> _Remains:
        """Read whatever is there. Raises CannotStore when the disk cannot be read."""
        text, plan = (_read(evidence.path(name)) for name in ("experiment.yaml", "plan.json"))
        described: Mapping[str, Any] = json.loads(plan) if plan else {}
        experiment = _experiment(text, described) if text and described else None
        spools = Spools(evidence.path(SPOOLS))
        found = spools.whole()
        log = found.log if len(found.log) or found.spoiled else _stored(evidence)
        events = read_journal(evidence.path(JOURNAL))
        return cls(evidence, experiment, text, described, events, log, spools, found.clocks, found.spoiled)

    @property
    def backdrop(self) -> Backdrop:
        stored = not self.spoiled and self.evidence.path(REQUESTS).is_file()
        return Backdrop(self.log, self.text, self.experiment, self.described, stored)

    @property
    def zero_mono_s(self) -> float:
        """The log's instant 0 on CLOCK_MONOTONIC of the run's boot; not a number when there was none."""
        return self.spools.header.zero_monotonic_s if self.spools.header else math.nan

    def events_of(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """Step → the last event of a kind."""
        return {event.get("step", ""): event for event in self.events if event["event"] == kind}


def _stored(evidence: Evidence) -> RequestLog:
    """The request log of a run whose spools are gone: it was judged, and about to be sealed."""
    try:
        return read(evidence.path(REQUESTS)).log
    except BadInput:
        return RequestLog.empty()  # nothing had been sent


def _read(path: Path) -> str:
    with disk.storing("the evidence", path):
        return path.read_text(encoding="utf-8") if path.exists() else ""


def _experiment(text: str, described: Mapping[str, Any]) -> Experiment:
    """As it was run: what the file says, with load (`--rate`) and objectives (OpenSLO) as resolved."""
    promised = build(Experiment, parse(text, "experiment.yaml"))
    load = build(Load, parse(json.dumps(described["experiment"]["load"]), "plan.json"))
    resolved: dict[str, Any] = {"load": load}
    if promised.objectives.openslo is not None:
        written = json.dumps(described["experiment"]["objectives"])
        resolved["objectives"] = build(Objectives, parse(written, "plan.json"))
    return promised.model_copy(update=resolved)


def _judged(experiment: Experiment, remains: _Remains, keeping: Keeping) -> Execution:
    """Judge it in the same way as a run that has just ended, without asking the target."""
    endings = [RunEnding(Verdict.UNKNOWN, CUT_SHORT, interrupted=True)]
    if remains.spoiled:
        endings.append(RunEnding(Verdict.UNKNOWN, remains.spoiled))
    requests = remains.evidence.path(REQUESTS)
    if len(remains.log) and not requests.exists():
        try:
            save(remains.log, remains.spools.readers, requests, remains.clocks)
        except CannotStore as error:
            endings.append(RunEnding(Verdict.UNKNOWN, str(error)))
    last_s = float(remains.log.intended.max()) if len(remains.log) else 0.0
    end_s = min(math.nextafter(last_s, math.inf), experiment.duration.seconds)
    started = _started(remains, keeping)
    steps = _steps(remains, keeping, started, end_s)
    conducted = Conducted(
        remains.log,
        steps,
        end_s,
        tuple(endings),
        remains.zero_mono_s,
        cut=CUT_SHORT,
        scenario=remains.spools.scenario if remains.spools.header else None,
        offer=remains.spools.offer,
        exact=exactness(remains.clocks),
        version=version_in(event for event in remains.events if event["event"] == EVENT),
        notices=remains.spools.header.notices if remains.spools.header else (),
        usage=told_in(event for event in remains.events if event["event"] == USAGE),
    )
    checks = tuple(checks_registry.build(check.check, check.with_) for check in experiment.checks)
    allowance = remains.described.get("allowance")
    case = Case(
        experiment,
        keeping.held.run.target,
        checks,
        allowance=Allowance(**allowance) if allowance else THREE_NINES,
        pricing=_pricing(remains.described),
    )
    return conclude(case, conducted, started, remains.backdrop, keeping)


def _pricing(described: Mapping[str, Any]) -> Pricing | None:
    written = described.get("target", {}).get("cost")
    return build(Pricing, parse(json.dumps(written), "plan.json")) if written else None


def _started(remains: _Remains, keeping: Keeping) -> RunClock:
    """The run's clock, from the first event of its journal."""
    first = remains.events_of("run.started").get("")
    if first is None:
        return RunClock(keeping.now.anchor_mono_s, datetime.fromisoformat(keeping.held.run.started_at))
    return RunClock(first["mono"], datetime.fromisoformat(first["wall"]))


def _steps(remains: _Remains, keeping: Keeping, started: RunClock, end_s: float) -> tuple[StepRecord, ...]:
    """What became of each step, by the run's journal and, where they differ, by the fault journal."""
    zero_mono_s = remains.zero_mono_s
    zero = Zero(zero_mono_s, started.epoch_s(zero_mono_s))
    lives = {life.entry.label: life for life in _lives(keeping.home, keeping.held.run)}
    fired, observed, failed = map(remains.events_of, ("step.fired", "step.observed", "step.failed"))
    steps = []
    for planned in remains.described.get("steps", ()):
        step = StepRecord(**planned)
        step = replace(
            step,
            before_s=fired.get(step.name, {}).get("before_s"),
            injected_s=fired.get(step.name, {}).get("after_s"),
            observed_s=observed.get(step.name, {}).get("observed_s"),
            error=failed.get(step.name, {}).get("error", ""),
        )
        life = lives.get(step.name)
        steps.append(with_its_undo(step, life, zero) if life else step)
    changes = [ArrivalChange(**each).record(end_s) for each in remains.described.get("spikes", ())]
    return tuple(sorted([*steps, *changes], key=lambda step: step.planned_s))


def _lives(home: Path, run: OpenRun) -> list[Life]:
    if not journal_path(home).exists():
        return []
    journal = Journal(journal_path(home))
    try:
        sessions = [session.id for session in journal.sessions() if session.run == run.run]
        entries = [entry for session in sessions for entry in journal.entries(session)]
        return [Life.of(entry, journal.instants(entry.id)) for entry in entries]
    finally:
        journal.close()


@dataclass(frozen=True, slots=True)
class Zero:
    """The request log's instant 0 on two clocks: monotonic within its boot, and in seconds since 1970."""

    mono_s: float
    wall_s: float

    def since(self, instant: Instant, boot: str) -> float:
        """Seconds from zero to an instant. After a reboot only wall clocks can be compared.

        boot: the one that zero belongs to.
        """
        if boot == boot_id():
            return instant.monotonic_ns / 1e9 - self.mono_s
        return instant.wall_ns / 1e9 - self.wall_s


def with_its_undo(step: StepRecord, life: Life, zero: Zero) -> StepRecord:
    """A step with what the journal of faults knows of its effect and its undo."""
    entry, boot = life.entry, life.entry.conductor.boot
    at = {what: zero.since(instant, boot) for what, instant in life.instants.items()}
    if step.injected_s is None and entry.activated:
        step = replace(step, before_s=at.get(What.BEFORE), injected_s=at.get(What.AFTER))
    return replace(
        step,
        undone_s=at.get(What.UNDONE),
        verified=False if life.undo.left_behind else entry.verified,
        undo=life.undo,
        by_hand=entry.undo.by_hand,
        error=life.error or step.error,
    )


def _decided(held: HeldRun, evidence: Evidence) -> RunResult | None:
    """A verdict that was decided before: kept with the record, or in the evidence; else None."""
    if held.run.verdict is not None:
        return read_verdict(json.dumps(held.run.verdict), "the record of the open run")
    text = _read(evidence.path(VERDICT))
    return read_verdict(text, str(evidence.path(VERDICT))) if text else None


def _bare(run: OpenRun, reason: str) -> RunResult:
    return RunResult(
        run=run.run,
        experiment=run.experiment,
        title="",
        target=run.target,
        verdict=Verdict.UNKNOWN,
        reasons=(CUT_SHORT, reason),
        started_at=run.started_at,
        interrupted=True,
        measurement=None,
    )
