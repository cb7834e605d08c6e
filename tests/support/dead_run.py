"""What a run leaves whose conductor was killed in its middle: evidence, spool, both journals, an open record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import Recorder
from seatrial.load.spool import SpoolHeader
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.role import Role
from seatrial.processes import ProcessId
from seatrial.run import openruns
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.openruns import OpenRun
from seatrial.undo import Undo
from seatrial.undo.journal import Journal, SessionRecord
from seatrial.undo.session import journal_path

STARTED = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)
ZERO_S = 1000.0
EXPERIMENT = """\
experiment: crash
title: Crashing
load: {scenario: nowhere.py, rate: 1/s}
duration: 10s
timeline:
  - {at: 1s, fault: command.run, on: worker, name: mark, with: {inject: [touch, mark], undo: [rm, -f, mark]}}
objectives: {errors: {max: 1%}}
checks: [acknowledged-writes]
"""
CONDUCTOR = ProcessId(1, 1, "another boot")  # surely not running


@dataclass(frozen=True)
class DeadRun:
    """Where it is."""

    directory: Path
    home: Path
    evidence: Evidence
    fault: int


def dead_run(directory: Path, *, rows: int = 300, undo: tuple[str, ...] = ("rm", "-f", "mark")) -> DeadRun:
    """Killed after `rows` answers at 100 a second, with the fault `mark` in effect since the first second."""
    home = directory / "home"
    home.mkdir(parents=True, exist_ok=True)
    evidence = Evidence.create("crash", STARTED, directory / "run")
    evidence.keep_room()
    evidence.write_text("experiment.yaml", EXPERIMENT)
    described = {
        "experiment": {"load": {"scenario": "nowhere.py", "rate": [{"at": "0s", "rate": "100/s"}]}},
        "steps": [
            {"name": "mark", "kind": "fault", "does": "command.run", "role": "worker", "planned_s": 1.0}
        ],
        "spikes": [],
        "versions": {"seatrial": "1"},
        "machine": {},
    }
    evidence.write_json("plan.json", described)
    _write_journal(evidence)
    _write_spool(evidence, rows)
    fault = _inject(directory, home, evidence, undo)
    opened = OpenRun(
        evidence.run, "crash", "shop", str(evidence.directory), STARTED.isoformat(), "seatrial run", 1
    )
    openruns.begin(home, opened).close()
    return DeadRun(directory, home, evidence, fault)


def _write_journal(evidence: Evidence) -> None:
    journal = RunJournal(evidence.path("journal.jsonl"))
    journal.write("run.started", ZERO_S - 5, STARTED, run=evidence.run)
    journal.write("load.zero", ZERO_S, STARTED, zero_mono_s=ZERO_S)
    journal.write("step.fired", ZERO_S + 1, STARTED, step="mark", before_s=1.0, after_s=1.001)
    journal.close()


def _write_spool(evidence: Evidence, rows: int) -> None:
    offer = Offer((RateStep(0.0, Rate(100, 1.0)),), "even", 0, 0.0, 10.0)
    header = SpoolHeader("0", 1, ZERO_S, math.nan, offer, Share(), 2.0, "nowhere.py", "http://127.0.0.1:1")
    recorder = Recorder(evidence.path("spool") / "worker-0.spool", header)
    for number in range(rows):
        at_s = number / 100
        recorder.add(at_s, at_s, at_s + 0.001, True, 200, "GET /", "", "", key=f"write-{number}")
    recorder.flush([(rows / 100, rows / 100, "GET /")])  # one was in flight


def _inject(directory: Path, home: Path, evidence: Evidence, undo: tuple[str, ...]) -> int:
    journal = Journal(journal_path(home))
    journal.open_session(SessionRecord("s", "shop", "crash", evidence.run, CONDUCTOR))
    role = Role("worker", "process", {}, ("127.0.0.1",), str(directory))
    (directory / "mark").touch()
    parameters = {"inject": ["touch", "mark"], "undo": list(undo)}
    by_hand = "rm mark"
    fault = journal.prepare("s", "mark", Undo("command.run", parameters, role, {}, "worker", by_hand), 0)
    now = journal.clock.now()
    journal.activate(fault, now, now, 0)
    journal.close()
    return fault
