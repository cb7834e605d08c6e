"""An exploration from its request to its account: what `explore` decides is run, recorded and written here.

    request ─examined─► objectives, target ─► space ─► explore.search ─► run ─► execute (journal, guardian, …)
                                                 ▲                        └──► $SEATRIAL_HOME/explored/…
                                                 └── what was tried before

Each run is one like any other: planned from a file, held by the same allow list and guards, undone by the
same guardian, with its evidence beside the others'. Runs of an exploration are no drills: they open no
incident and stand in no history, but for one that leaves something behind, which pages as ever.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from seatrial.explore.record import Finding, Outcome, Purpose, Record, Standing, Trial
from seatrial.explore.schedule import Schedule
from seatrial.explore.search import End, Exploration, TimeIsUp
from seatrial.explore.space import Space
from seatrial.explore.writing import comment_of, experiment_of, hypothesis_of, name_of, text_of, told
from seatrial.files import Source
from seatrial.model.document import parse
from seatrial.model.problems import Interrupted, SeatrialError
from seatrial.model.result import RunResult
from seatrial.run.evidence import Evidence
from seatrial.run.execute import execute
from seatrial.run.plan import make_plan
from seatrial.trials.caller import Caller
from seatrial.trials.exploration_account import Done, account_of, outcome_of
from seatrial.trials.exploration_store import held, place_of, read_record
from seatrial.trials.fault_choices import LeftOut
from seatrial.trials.objectives import BEYOND_S, Asked, ExploreRequest, examined, space_of, standing_alone
from seatrial.trials.records import Records, open_records
from seatrial.trials.recovery import recover_first
from seatrial.trials.targets import home, is_up, planned_target, target_in_service, tenants_wanted

_ACCOUNT = "exploration.json"
_REMEMBERED = 5
_LOOKED_EVERY_S = 0.05
_SHOWN_NEXT = 5


def explore(request: ExploreRequest, caller: Caller) -> Done:
    """Explore a target until the budget is over. Raises BadInput with all that is wrong; nothing is started.

    Raises Unavailable when another process explores that target.
    """
    began_s = time.monotonic()
    asked = examined(request)
    recover_first(caller)
    with (
        target_in_service(
            request.target, request.no_testbed, tenants_wanted(asked.source), lambda _: None, caller
        ) as system,
        held(home(), asked.target.target, asked.slot_s, anew=request.anew) as tried,
        open_records(caller.say) as records,
        caller.shielded() as stop,
    ):
        space, left_out = space_of(asked, system, request, looks=True)
        evidence = Evidence.create(f"explore-{asked.target.target}", datetime.now(UTC), request.evidence)
        runner = Runner(
            asked, system, space, evidence, caller, stop, began_s + request.budget_s, records, request.seed
        )

        def keep(entry: Trial | Finding) -> None:
            tried.keep(entry)
            if isinstance(entry, Finding):
                runner.write(entry)
            account(None)

        def account(end: End | None) -> Done:
            took_s = time.monotonic() - began_s
            done = Done(exploration, end, evidence.directory, left_out, took_s, dict(runner.files))
            evidence.write_json(_ACCOUNT, account_of(done))
            return done

        exploration = Exploration(
            space, tried.record, request.seed, request.repeats, runner.run, keep, first=request.first
        )
        try:
            end = exploration.explore()
        except Interrupted:
            end = End.INTERRUPTED
        if exploration.interim is not None:
            runner.write(exploration.interim)
        if records is not None and end is End.LEFT_BEHIND:
            records.deliver(caller.say)
        return account(end)


@dataclass(frozen=True, slots=True)
class Outlook:
    """An exploration that is not carried out. `looked`: the target is there, and faults have looked at it."""

    asked: Asked
    space: Space
    left_out: list[LeftOut]
    record: Record
    next: tuple[Schedule, ...]
    looked: bool


def outlook(request: ExploreRequest) -> Outlook:
    """What could be chosen, what was tried, and what would be next if all of it passed. Starts nothing."""
    asked = examined(request)
    looks = is_up(request.target)
    space, left_out = space_of(asked, planned_target(request.target), request, looks=looks)
    record = read_record(place_of(home(), asked.target.target), asked.slot_s)
    coming = Exploration.foreseen(space, record, request.seed, _SHOWN_NEXT)
    return Outlook(asked, space, left_out, record, tuple(coming), looks)


@dataclass(slots=True)
class Runner:
    """Runs one schedule after the other, as long as there is time for another."""

    asked: Asked
    system: Source
    space: Space
    evidence: Evidence
    caller: Caller
    stop: threading.Event
    deadline_s: float  # on the monotonic clock
    records: Records | None
    seed: int
    files: dict[Schedule, Path] = field(default_factory=dict)
    _count: int = 0
    _beyond: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def run(self, schedule: Schedule, purpose: Purpose) -> Outcome:
        """Raises TimeIsUp before a run that would end too late, Interrupted when the end was asked for."""
        if self.stop.is_set():
            raise Interrupted("interrupted")
        began_s = time.monotonic()
        if began_s + self.length_s > self.deadline_s:
            raise TimeIsUp
        self._count += 1
        title = f"{purpose}: {told(schedule, self.space)}"
        result, directory = self._executed(schedule, purpose, title)
        outcome = outcome_of(result, str(directory))
        if not outcome.left_behind:  # which is kept and told, whatever ended the run
            if self.stop.is_set():
                raise Interrupted("interrupted")
            if result.interrupted:  # by the deadline: what was cut short is no try
                raise TimeIsUp
        took_s = time.monotonic() - began_s
        self._beyond.append(max(0.0, took_s - self.asked.length_s))
        why = f": {outcome.reasons[0]}" if outcome.reasons else ""
        self.caller.say(f"{self._count:>4}  {outcome.verdict:<7}  {title}  ({took_s:.1f} s){why}")
        return outcome

    @property
    def length_s(self) -> float:
        """How long the next run is expected to take."""
        return self.asked.length_s + max(self._beyond, default=BEYOND_S)

    def _executed(self, schedule: Schedule, purpose: Purpose, title: str) -> tuple[RunResult, Path]:
        base, named = self.asked.source.document.data, f"explore-{self.asked.target.target}"
        short = f"{self._count}, {purpose}"
        experiment = experiment_of(base, schedule, self.space, name=named, title=short, hypothesis=title)
        text = text_of(experiment)
        plan = make_plan(Source(self.asked.source.path, parse(text, named)), self.system)
        directory = self.evidence.path(f"{self._count:04d}-{purpose}")
        with _ending(self.stop, self.deadline_s) as stop, self.caller.watching(plan, stop) as view:
            execution = execute(plan, home(), view, stop, directory, of_a_search=True)
        if execution.result.left_behind and self.records is not None:
            try:
                self.records.reporter(plan.experiment, "seatrial recover").finished(execution.result)
            except SeatrialError as error:
                self.caller.say(f"nobody is told: {error}")
        return execution.result, directory

    def write(self, finding: Finding) -> None:
        """Write a weakness as an experiment that stands for itself."""
        if finding.standing is not Standing.FACT:
            return
        name = name_of(finding.schedule)
        experiment = experiment_of(
            standing_alone(self.asked.source),
            finding.schedule,
            self.space,
            name=name,
            title=f"Weakness: {told(finding.schedule, self.space)}",
            hypothesis=hypothesis_of(finding),
        )
        self.evidence.write_text(
            f"{name}.yaml", text_of(experiment, comment_of(finding, self.space, self.seed))
        )
        self.files[finding.schedule] = self.evidence.path(f"{name}.yaml")
        self.caller.say(f"found: {told(finding.schedule, self.space)}")


@contextlib.contextmanager
def _ending(asked: threading.Event, deadline_s: float) -> Iterator[threading.Event]:
    """An event that is set when somebody has asked for the end, or the time is over."""
    stop, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_LOOKED_EVERY_S):
            if asked.is_set() or time.monotonic() > deadline_s:
                stop.set()
                return

    watcher = threading.Thread(target=watch, name="seatrial-budget", daemon=True)
    watcher.start()
    try:
        yield stop
    finally:
        over.set()
        watcher.join()
