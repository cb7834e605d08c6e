"""From a plan to a verdict with its evidence: conduct, measure, judge, write down."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from seatrial.incidents import Reporter
from seatrial.model.problems import CannotStore, Interrupted, SeatrialError
from seatrial.model.result import RunResult
from seatrial.model.secrets import shown
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.case import Case, bare, judged
from seatrial.run.clock import RunClock
from seatrial.run.conclusion import Backdrop, hand_over, record, unjudged, write_down
from seatrial.run.conductor import REAL, Conducted, Conductor, Means
from seatrial.run.description import description_of
from seatrial.run.evidence import JOURNAL, Evidence, RunJournal
from seatrial.run.losses import Losses
from seatrial.run.observer import Observer, Progress
from seatrial.run.openruns import HeldRun, OpenRun
from seatrial.run.plan import Plan
from seatrial.run.room import require_room

_CONCLUDING = "judging, and writing the report"


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


def execute(
    plan: Plan,
    home: Path,
    observer: Observer,
    stop: threading.Event,
    out: Path | None = None,
    reporter: Reporter | None = None,
    means: Means = REAL,
    *,
    of_a_search: bool = False,
) -> Execution:
    """Run `plan` to its end and keep the evidence. `stop` ends it early, from whatever thread sets it.

    `reporter` records the run and the incidents it causes, in one transaction. of_a_search: see `OpenRun`.

    Raises BadInput when there can be no such evidence directory, CannotStore when there is no room for the
    run; nothing is started then, and nothing left behind. Everything else that goes wrong is a verdict.
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
    described = description_of(plan)
    opened = OpenRun(
        run=evidence.run,
        experiment=plan.experiment.experiment,
        target=plan.target.target,
        directory=str(evidence.directory),
        started_at=clock.anchor_wall.astimezone(UTC).isoformat(timespec="seconds"),
        command=shown(reporter.reproduce) if reporter else "",
        pid=os.getpid(),
        of_a_search=of_a_search,
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
        conducted = Conductor(plan, evidence, journal, home, observer, stop, clock, means).conduct()
        over_s = plan.experiment.duration.seconds
        observer.progress(Progress(_CONCLUDING, over_s, over_s, None, conducted.steps, conducted.notices))
        text, stored = plan.experiment_text, conducted.stored
        backdrop = Backdrop(conducted.log, text, plan.experiment, described, stored)
        keeping = Keeping(evidence, journal, home, held, reporter, clock)
        return conclude(Case.of(plan), conducted, clock, backdrop, keeping)


def _prepared(evidence: Evidence, plan: Plan, described: Mapping[str, Any]) -> RunJournal:
    """Make durable what a verdict needs, in case this process dies before that. Raises CannotStore."""
    evidence.keep_room()
    evidence.write_text("experiment.yaml", plan.experiment_text)
    if plan.slo is not None:
        evidence.write_text("openslo.yaml", plan.slo.text)
    evidence.write_json("plan.json", described)
    if plan.replay is not None:
        plan.replay.write(evidence)
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
    """Judge what happened, and write the verdict down, seal and record it, whatever fails on the way."""
    evidence, journal = keeping.evidence, keeping.journal
    evidence.give_room()
    losses = Losses(evidence.directory, conducted.defects)
    nothing = unjudged(bare(case, evidence, started, conducted))
    result = losses.result(
        "the judgement", lambda: judged(case, evidence, started, conducted, losses), nothing
    )
    now, told = keeping.now.now(), losses.told(result)
    journal.write("run.ended", now, keeping.now.wall(now), verdict=told.verdict, reasons=told.reasons)
    losses.done("the end of the run's journal", journal.close)
    result = write_down(result, backdrop, evidence, keeping.home, losses)
    pending = hand_over(keeping.held, result, losses, keeping.reporter)
    return Execution(result, evidence, bool(losses.defects), tuple(pending))
