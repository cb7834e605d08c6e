"""Conducts one run: health first, then load, timeline and guards side by side, then everything undone.

    healthy? ─► faults held ─► load started ─► warm-up ─► measured part ─► load ended ─► undone and verified
                                   │               timeline ──┘  guards ──┘
                                   └── any of: Ctrl-C, guard, load generator gone, step failed, session lost

The conductor only gathers: it returns what happened and judges nothing. Whatever ends the run early, the
evidence so far is kept and the target is put back.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from seatrial.faults.session import FaultSession
from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.model.problems import Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import ScenarioAccount, StepRecord
from seatrial.model.verdict import Verdict
from seatrial.run.clock import RunClock
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.observer import Observer, Progress
from seatrial.run.plan import Plan
from seatrial.run.steady import SteadyState
from seatrial.run.timeline import Timeline
from seatrial.run.watch import Watch

_TICK_S = 0.1
_LOAD_STARTS_WITHIN_S = 30.0
_STOP_LOAD_WITHIN_S = 1.0
_STEADY_AGAIN_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Ending:
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
    endings: tuple[Ending, ...]
    zero_mono_s: float = math.nan  # the log's instant 0 on CLOCK_MONOTONIC
    cut: str = ""  # why the story did not come to its planned end; "" when it did
    scenario: ScenarioAccount | None = None  # None: no load process told of it


def require_healthy(plan: Plan, within_s: float | None = None) -> None:
    """Wait until the target's `ready` path answers 2xx or 3xx. Raises Unavailable when it does not."""
    url = plan.base_url + plan.target.ready
    deadline = time.monotonic() + (plan.target.ready_within.seconds if within_s is None else within_s)
    said = "no answer"
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while True:
            try:
                answer = client.get(url)
                if answer.status_code < 400:
                    return
                said = f"HTTP {answer.status_code}"
            except httpx.HTTPError as error:
                said = str(error) or type(error).__name__
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"the target {plan.target.target} is not healthy: GET {plan.address}{plan.target.ready}:"
                    f" {said}; nothing was started"
                )
            time.sleep(_TICK_S)


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
    ) -> None:
        self._plan = plan
        self._evidence = evidence
        self._journal = journal
        self._home = home
        self._observer = observer
        self._stop = stop
        self._clock = clock
        self._duration_s = plan.experiment.duration.seconds
        self._watch = Watch(plan.experiment.load.deadline.seconds, plan.experiment.guards)
        self._steady = SteadyState(
            [*plan.steady_state, *filter(None, plan.guard_probes)],
            lambda event, details: self._write(event, **details),
        )
        self._endings: list[Ending] = []
        self._told_to_its_end = False
        self._scenario: ScenarioAccount | None = None
        self._timeline: Timeline | None = None
        self._undoing: threading.Thread | None = None  # of a run that ends early
        self._zero_mono_s = math.nan

    def conduct(self) -> Conducted:
        """Run it. Raises Unavailable when it could not be started; then nothing was touched."""
        lacking = self._plan.lacking()
        if lacking:
            raise Unavailable(f"not run here: {'; '.join(lacking)}; nothing was started")
        require_healthy(self._plan)
        wrong = self._steady.wait_until_well(self._plan.target.ready_within.seconds, self._stop)
        if wrong:
            raise Unavailable(f"the target is not in its steady state: {wrong}; nothing was started")
        self._write("target.ready", url=self._plan.address)
        session = FaultSession(
            self._home,
            self._plan.target.target,
            experiment=self._plan.experiment.experiment,
            run=self._evidence.run,
            faults=sorted({step.fault.name for step in self._plan.steps}),
            on_lost=lambda reason: self._end(Verdict.UNKNOWN, f"the fault session was lost: {reason}"),
        )
        with session:
            self._steady.start()
            try:
                log, end_s = self._drive(session)
            finally:
                self._steady.stop()
                if self._undoing is not None:
                    self._undoing.join()
            self._show("undoing", end_s)
        if self._timeline is not None:
            self._timeline.settle()
        self._require_steady_again()
        self._write("undone", faults=[outcome.entry.label for outcome in session.outcomes])
        return self._conducted(log, end_s)

    def _require_steady_again(self) -> None:
        """A run that leaves the target unwell has failed, even if its load saw nothing of it."""
        self._show("looking whether all is well again", self._duration_s)
        patience_s = 0.0 if self._stop.is_set() else _STEADY_AGAIN_WITHIN_S
        wrong = self._steady.wait_until_well(patience_s, self._stop)
        if wrong and not self._stop.is_set():
            verdict = Verdict.FAIL if self._told_to_its_end else Verdict.UNKNOWN
            self._note_ending(verdict, f"the target is not in its steady state again: {wrong}")

    def nothing(self, ending: Ending) -> Conducted:
        """What is told of a run that could not be started, or not be brought to an orderly end."""
        self._endings = [ending]
        return self._conducted(RequestLog.concat([]), 0.0)

    def _conducted(self, log: RequestLog, end_s: float) -> Conducted:
        cut = "" if self._told_to_its_end else self._endings[0].reason
        steps = self._steps(end_s if len(log) else -math.inf)
        return Conducted(
            log, steps, end_s, tuple(self._endings), self._zero_mono_s, cut=cut, scenario=self._scenario
        )

    def _drive(self, session: FaultSession) -> tuple[RequestLog, float]:
        """The load, and the timeline beside it. The request log, and the instant at which it ended."""
        load = self._launch()
        try:
            zero = self._wait_for_zero(load)
            if zero is None:
                log = load.finish()
                self._scenario = load.scenario
                return log, 0.0
            self._zero_mono_s = zero
            end_s = self._until_the_end(load, session, zero)
        finally:
            if self._timeline is not None:
                self._timeline.stop()
            if self._endings:
                self._undo_at_once(session)
                if load.poll() is None:
                    load.stop(_STOP_LOAD_WITHIN_S)
        self._show("collecting", end_s)
        if self._timeline is not None and not self._endings:
            self._timeline.look()
        log = load.finish()
        self._scenario = load.scenario
        self._write("load.ended", requests=len(log), scenario_errors=self._scenario.failed)
        return log, end_s

    def _undo_at_once(self, session: FaultSession) -> None:
        """Whatever ended the run early, the target comes first: load and probes take their time to end."""
        self._undoing = threading.Thread(target=session.undo_all, name="seatrial-undo")
        self._undoing.start()

    def _launch(self) -> LoadProcess:
        experiment = self._plan.experiment
        load = launch(
            LoadPlan(
                scenario=self._plan.scenario,
                host=self._plan.base_url,
                address=self._plan.address,
                shape=self._plan.shape,
                warmup_s=experiment.warmup.seconds,
                duration_s=self._duration_s,
                spacing=experiment.load.arrivals,
                seed=experiment.load.seed,
                deadline_s=experiment.load.deadline.seconds,
                directory=self._evidence.directory,
                variables=self._plan.variables,
            )
        )
        self._write("load.started", pid=load.pid, scenario=experiment.load.scenario)
        return load

    def _wait_for_zero(self, load: LoadProcess) -> float | None:
        """The monotonic instant of log time 0, or None when the run ended before there was one."""
        deadline = self._clock.now() + _LOAD_STARTS_WITHIN_S
        while load.zero_monotonic_s is None:
            self._show("starting load", -self._plan.experiment.warmup.seconds)
            load.new_rows()
            if load.poll() is not None:
                self._end(Verdict.UNKNOWN, f"the load generator did not start: {load.failure_reason()}")
            elif self._clock.now() > deadline:
                self._end(Verdict.UNKNOWN, f"the load generator did not start in {_LOAD_STARTS_WITHIN_S:g} s")
            if self._ended():
                return None
            time.sleep(_TICK_S / 4)
        self._write("load.zero", zero_mono_s=load.zero_monotonic_s)
        return load.zero_monotonic_s

    def _until_the_end(self, load: LoadProcess, session: FaultSession, zero: float) -> float:
        """Watch until the measured part is over or something ends it; the instant of that."""
        self._timeline = Timeline(
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
            self._watch.add(load.new_rows(), now_s)
            gone = load.poll()
            if gone is not None and now_s < self._duration_s:
                self._end(Verdict.UNKNOWN, f"the load generator ended early: {load.failure_reason()}")
            if now_s >= 0 and (breach := self._watch.breach(now_s, self._unwell())):
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
        self._endings.append(Ending(verdict, reason, interrupted))
        self._write("run.aborted", reason=reason)

    def _ended(self) -> bool:
        if self._stop.is_set():
            self._end(Verdict.UNKNOWN, "interrupted", interrupted=True)
        return bool(self._endings)

    # what is told

    def _steps(self, at_s: float) -> tuple[StepRecord, ...]:
        spikes = [spike.record(at_s) for spike in self._plan.spikes]
        if self._timeline is not None:
            steps = [*self._timeline.records]
        else:
            steps = [
                StepRecord(step.name, step.fault.kind, step.fault.name, step.role.name, step.at_s)
                for step in self._plan.steps
            ]
        return tuple(sorted([*steps, *spikes], key=lambda step: step.planned_s))

    def _show(self, phase: str, at_s: float) -> None:
        figures = self._watch.figures(at_s) if self._timeline is not None else None
        self._observer.progress(Progress(phase, at_s, self._duration_s, figures, self._steps(at_s)))

    def _write(self, event: str, **details: object) -> None:
        now = self._clock.now()
        self._journal.write(event, now, self._clock.wall(now), **details)
