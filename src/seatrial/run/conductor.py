"""Conducts one run: health first, then load, timeline and guards side by side, then everything undone.

    healthy? ─► faults held ─► load started ─► warm-up ─► measured part ─► load ended ─► undone and verified
                                   │               timeline ──┘  guards ──┘
                                   └── any of: Ctrl-C, guard, load generator gone, step failed, session lost

The conductor only gathers: it returns what happened and judges nothing. Whatever ends the run early, the
evidence so far is kept and the target is put back. Whatever fails is an ending with its reason: what was
gathered until then is worth a judgement, and a verdict is owed in any case.
"""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from seatrial import disk, drivers
from seatrial.checks.protocol import When
from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.load.offer import Offer
from seatrial.load.workers import COME_WITHIN_S
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.mistakes import Mistake
from seatrial.model.ownfailure import is_ours
from seatrial.model.problems import CannotStore, SeatrialError, Unavailable
from seatrial.model.reasons import Reason
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import StepRecord
from seatrial.model.scenarioaccount import ScenarioAccount
from seatrial.model.verdict import Verdict
from seatrial.model.version import TargetVersion
from seatrial.probes import Question
from seatrial.probes import ask as probe
from seatrial.run.clock import RunClock
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.fleet import came_of_workers, ended_early, load_plan_of
from seatrial.run.live import LiveMeasurement
from seatrial.run.observer import Observer, Progress
from seatrial.run.plan import Plan
from seatrial.run.recording import Answers, ask
from seatrial.run.steady import SteadyState, require_healthy
from seatrial.run.timeline import Timeline
from seatrial.run.usage import Told, UsageQuestions
from seatrial.run.version import Versions
from seatrial.run.watching import Watch
from seatrial.undo.session import FaultSession
from seatrial.undo.undoing import set_off
from seatrial.waiting import wait_until

_TICK_S = 0.1
_LOAD_STARTS_WITHIN_S = 30.0
_STOP_LOAD_WITHIN_S = 1.0
_STEADY_AGAIN_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class RunEnding:
    """Why a run ended before its time, or not as it should, and what that means for its verdict."""

    verdict: Verdict
    reason: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Conducted:
    """What happened. `log` is empty when no request was sent; `end_s` is the last instant that counts."""

    log: RequestLog
    steps: tuple[StepRecord, ...]
    end_s: float
    endings: tuple[RunEnding, ...]
    zero_mono_s: float = math.nan  # the log's instant 0 on CLOCK_MONOTONIC
    cut: str = ""  # why the story did not come to its planned end; "" when it did
    scenario: ScenarioAccount | None = None  # None: no load process told of it
    exact: Exactness = EXACT  # of the log's instants
    offer: Offer | None = None  # what the load process was to send; None: it did not tell
    notices: tuple[str, ...] = ()  # what of the scenario means something else here, or nothing
    defects: tuple[str, ...] = ()  # where seatrial itself failed: tracebacks
    answers: Answers = field(default_factory=dict)  # what checks had to be told before the run and during it
    version: TargetVersion | None = None  # None: the target was not asked
    usage: Told = field(default_factory=dict)  # of what has a price, as the target told
    stored: bool = False  # all of the log is in the evidence


@dataclass(frozen=True, slots=True)
class Means:
    """What a conductor works with; tests give it others."""

    require_healthy: Callable[[Plan], None] = require_healthy
    launch: Callable[[LoadPlan], LoadProcess] = launch
    session: Callable[..., FaultSession] = FaultSession
    timeline: Callable[..., Timeline] = Timeline
    probe: Callable[[Question], str] = probe


REAL = Means()


class Conductor:
    """One run of one plan. `stop` may be set from a signal handler to end it early."""

    def __init__(
        self,
        plan: Plan,
        evidence: Evidence,
        journal: RunJournal,
        home: Path,
        observer: Observer,
        stop: threading.Event,
        clock: RunClock,
        means: Means = REAL,
    ) -> None:
        self._plan = plan
        self._evidence = evidence
        self._journal = journal
        self._home = home
        self._observer = observer
        self._stop = stop
        self._clock = clock
        self._means = means
        self._duration_s = plan.experiment.duration.seconds
        self._live = LiveMeasurement(plan.experiment.load.deadline.seconds, plan.experiment.guards)
        self._steady = SteadyState(
            [*plan.steady_state, *filter(None, plan.guard_probes)],
            lambda event, details: self._write(event, **details),
            means.probe,
        )
        self._endings: list[RunEnding] = []
        self._told_to_its_end = False
        self._scenario: ScenarioAccount | None = None
        self._offer: Offer | None = None
        self._exact = EXACT
        self._told_beforehand = tuple(plan.replay.told()) if plan.replay else ()
        self._notices = self._told_beforehand
        self._timeline: Timeline | None = None
        self._undoing: threading.Thread | None = None  # of a run that ends early
        self._zero_mono_s = math.nan
        self._log = RequestLog.concat([])
        self._stored = False
        self._end_s: float | None = None  # None: the load was not started
        self._defects: list[str] = []
        self._answers: Answers = {}
        self._versions = Versions(plan.target.version, plan.whole, self._write)
        self._usage = UsageQuestions(plan.target.cost, plan.whole, plan.usage_roles, self._write)

    def conduct(self) -> Conducted:
        """Run it, and tell what happened. A run that could not be started has touched nothing."""
        try:
            self._conduct()
        except Exception as error:  # whatever it is, what was gathered is told
            self._fail(error)
        if self._journal.trouble is not None:
            self._end(Verdict.UNKNOWN, str(self._journal.trouble))
        return Conducted(
            log=self._log,
            steps=self._steps(self._end_s if self._end_s is not None and len(self._log) else -math.inf),
            end_s=self._end_s or 0.0,
            endings=tuple(self._endings),
            zero_mono_s=self._zero_mono_s,
            cut="" if self._told_to_its_end or not self._endings else self._endings[0].reason,
            scenario=self._scenario,
            offer=self._offer,
            exact=self._exact,
            notices=self._notices,
            defects=tuple(self._defects),
            answers=self._answers,
            version=self._versions.told,
            usage=self._usage.told,
            stored=self._stored,
        )

    def _conduct(self) -> None:
        lacking = self._plan.lacking()
        if lacking:
            raise Unavailable(Mistake.NOT_HERE(lacking="; ".join(lacking)))
        self._means.require_healthy(self._plan)
        wrong = self._steady.wait_until_well(self._plan.target.ready_within.seconds, self._stop)
        if wrong:
            raise Unavailable(Mistake.NOT_READY(wrong=wrong))
        self._write("target.ready", url=self._plan.address)
        self._versions.ask("before")
        self._usage.ask("before")
        self._answers = ask(self._plan.needs, When.BEFORE, self._evidence, RequestLog.empty())
        session = self._means.session(
            self._home,
            self._plan.target.target,
            experiment=self._plan.experiment.experiment,
            run=self._evidence.run,
            faults=sorted({step.fault.name for step in self._plan.steps}),
            modules=drivers.modules_of(step.role.driver for step in self._plan.steps),
            on_lost=lambda reason: self._end(Verdict.UNKNOWN, Reason.SESSION_LOST(why=reason)),
        )
        watch = Watch(self._plan.needs, self._clock.now)
        try:
            with watch, session:
                self._under_guard(session)
        finally:
            self._answers = {**self._answers, **watch.told(self._zero_mono_s)}
            if self._timeline is not None:
                self._timeline.note_undos()
        self._require_steady_again()
        self._versions.ask("after")
        self._usage.ask("after")
        self._write("undone", faults=[outcome.entry.label for outcome in session.outcomes])

    def _under_guard(self, session: FaultSession) -> None:
        """What happens while faults can be injected; at its end everything is undone."""
        self._steady.start()
        try:
            self._drive(session)
        finally:
            self._steady.stop()
            if self._undoing is not None and self._undoing.is_alive():
                self._undoing.join()
        self._show("undoing", self._duration_s if self._end_s is None else self._end_s)

    def _require_steady_again(self) -> None:
        """A run that leaves the target unwell has failed, even if its load saw nothing of it."""
        self._show("looking whether all is well again", self._duration_s)
        patience_s = 0.0 if self._stop.is_set() else _STEADY_AGAIN_WITHIN_S
        wrong = self._steady.wait_until_well(patience_s, self._stop)
        if wrong and not self._stop.is_set():
            proven = self._told_to_its_end and not is_ours(wrong)
            verdict = Verdict.FAIL if proven else Verdict.UNKNOWN
            self._note_ending(verdict, Reason.NOT_STEADY_AGAIN(wrong=wrong))

    def _drive(self, session: FaultSession) -> None:
        """Run the load and, beside it, the timeline; collect the rows when the load is over."""
        load = self._launch()
        self._end_s = 0.0
        try:
            zero = self._wait_for_zero(load)
            if zero is not None:
                self._zero_mono_s = zero
                self._end_s = self._until_the_end(load, session, zero)
        except BaseException as error:
            if not math.isnan(self._zero_mono_s):
                self._end_s = min(max(self._clock.now() - self._zero_mono_s, 0.0), self._duration_s)
            self._fail(error)
            if not isinstance(error, Exception):
                raise
        finally:
            if self._timeline is not None:
                self._timeline.stop()
            if self._endings:
                self._undo_at_once(session)
                if load.poll() is None:
                    load.stop(_STOP_LOAD_WITHIN_S)
        self._show("collecting", self._end_s)
        if self._timeline is not None and not self._endings:
            self._timeline.look()
        self._collect(load)

    def _collect(self, load: LoadProcess) -> None:
        """Read the request log and store it. One that cannot be stored is judged all the same."""
        self._log, spoiled = load.collect()
        self._scenario, self._offer = load.scenario, load.offer
        lost, self._exact = came_of_workers(load)
        for reason in filter(None, (spoiled, *lost)):
            self._note_ending(Verdict.UNKNOWN, reason)
        if load.audit is None and not self._endings:
            reason = load.failure_reason() or "it had to be stopped"
            self._end(Verdict.UNKNOWN, Reason.GENERATOR_NOT_IN_ORDER(why=reason))
        elif not self._endings and (early := ended_early(load, self._duration_s)):
            self._end(Verdict.UNKNOWN, Reason.GENERATOR_ENDED_EARLY(why=early))
        try:
            load.keep(self._log)
            self._stored = not spoiled
        except CannotStore as error:
            self._note_ending(Verdict.UNKNOWN, str(error))
        self._write("load.ended", requests=len(self._log), scenario_errors=self._scenario.failed)

    def _undo_at_once(self, session: FaultSession) -> None:
        """Undo before anything else when a run ends early: load and probes take their time to end."""
        self._undoing = threading.Thread(target=session.undo_all, name="seatrial-undo")
        set_off(self._undoing)

    def _launch(self) -> LoadProcess:
        load = self._means.launch(load_plan_of(self._plan, self._evidence))
        self._write("load.started", pid=load.pid, scenario=", ".join(self._plan.experiment.load.scenario))
        return load

    def _wait_for_zero(self, load: LoadProcess) -> float | None:
        """The monotonic instant of log time 0, or None when the run ended before there was one."""

        def is_decided() -> bool:
            self._show("starting load", -self._plan.experiment.warmup.seconds)
            load.new_rows()
            if load.zero_monotonic_s is None and load.poll() is not None:
                self._end(Verdict.UNKNOWN, Reason.GENERATOR_DID_NOT_START(why=f": {load.failure_reason()}"))
            elif missing := load.incomplete():
                self._end(Verdict.UNKNOWN, Reason.GENERATOR_DID_NOT_START(why=f": {missing}"))
            return load.zero_monotonic_s is not None or self._ended()

        within_s = COME_WITHIN_S if self._plan.workers.elsewhere else _LOAD_STARTS_WITHIN_S
        if not wait_until(is_decided, within_s, _TICK_S / 4, clock=self._clock.now):
            why = f" in {within_s:g} s"
            self._end(Verdict.UNKNOWN, Reason.GENERATOR_DID_NOT_START(why=why))
        if load.zero_monotonic_s is None:
            return None
        self._notices = (*self._told_beforehand, *load.notices)
        self._write("load.zero", zero_mono_s=load.zero_monotonic_s)
        return load.zero_monotonic_s

    def _until_the_end(self, load: LoadProcess, session: FaultSession, zero: float) -> float:
        """Watch until the measured part is over or something ends it; returns that instant."""
        self._timeline = self._means.timeline(
            self._plan.steps,
            session,
            self._journal,
            self._clock,
            zero,
            self._duration_s,
            failed=lambda reason: self._end(Verdict.UNKNOWN, reason),
        )
        self._timeline.start()
        while True:
            now_s = self._clock.now() - zero
            self._live.add(load.new_rows(), now_s)
            gone = load.poll()
            if gone is not None and now_s < self._duration_s:
                self._end(Verdict.UNKNOWN, Reason.GENERATOR_ENDED_EARLY(why=load.failure_reason()))
            if self._timeline.died:
                self._end(Verdict.UNKNOWN, "the timeline ended without telling why")
            if now_s >= 0 and (breach := self._live.breach(now_s, self._unwell())):
                self._end(Verdict.FAIL, breach)
            if self._ended():
                return min(now_s, self._duration_s)
            if now_s >= self._duration_s:
                self._told_to_its_end = True
                return self._duration_s
            self._show("warming up" if now_s < 0 else "measuring", now_s)
            self._stop.wait(_TICK_S)

    def _unwell(self) -> list[str]:
        return [self._steady.wrong(question) if question else "" for question in self._plan.guard_probes]

    # what ends a run

    def _end(self, verdict: Verdict, reason: str, interrupted: bool = False) -> None:
        """Note why the run ends. The first reason stands: what follows is its consequence."""
        if not self._endings:
            self._note_ending(verdict, reason, interrupted)

    def _note_ending(self, verdict: Verdict, reason: str, interrupted: bool = False) -> None:
        self._endings.append(RunEnding(verdict, reason, interrupted))
        self._write("run.aborted", reason=reason)

    def _fail(self, error: BaseException) -> None:
        """End the run for an error that nothing has translated."""
        reason = str(error)
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in disk.TROUBLES):
            reason = str(disk.cannot_store("the run", self._evidence.directory, error))
        elif isinstance(error, RuntimeError) and "can't start new thread" in reason:
            reason = "the machine starts no more threads for us; allow more processes (ulimit -u)"
        elif not isinstance(error, SeatrialError):
            reason = Reason.SEATRIAL_FAILED(error=f"{type(error).__name__}: {error}")
            self._defects.append("".join(traceback.format_exception(error)))
        self._note_ending(Verdict.UNKNOWN, reason)

    def _ended(self) -> bool:
        if self._journal.trouble is not None:
            self._end(Verdict.UNKNOWN, str(self._journal.trouble))
        if self._stop.is_set():
            self._end(Verdict.UNKNOWN, Reason.INTERRUPTED(), interrupted=True)
        return bool(self._endings)

    # what is told

    def _steps(self, at_s: float) -> tuple[StepRecord, ...]:
        changes = [change.record(at_s) for change in self._plan.arrival_changes]
        if self._timeline is not None:
            steps = [*self._timeline.records]
        else:
            steps = [
                StepRecord(step.name, step.fault.kind, step.fault.name, step.role.name, step.at_s)
                for step in self._plan.steps
            ]
        return tuple(sorted([*steps, *changes], key=lambda step: step.planned_s))

    def _show(self, phase: str, at_s: float) -> None:
        figures = self._live.figures(at_s) if self._timeline is not None else None
        steps = self._steps(at_s)
        told = Progress(
            phase, at_s, self._duration_s, figures, steps, self._notices, ended=bool(self._endings)
        )
        self._observer.progress(told)

    def _write(self, event: str, **details: object) -> None:
        now = self._clock.now()
        self._journal.write(event, now, self._clock.wall(now), **details)
