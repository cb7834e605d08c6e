"""From what happened to a verdict: whatever fails on the way to it is missing in it, and nothing else is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from tests.support.conducting import FakeLoad, Rehearsal, rows
from tests.support.planning import TARGET
from tests.support.rows import log_of

from seatrial import files
from seatrial.incidents import Reporter
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput, CannotStore, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.case import Case
from seatrial.run.clock import RunClock
from seatrial.run.conclusion import Backdrop
from seatrial.run.conductor import Conducted, RunEnding
from seatrial.run.evidence import Evidence, RunJournal, read_journal
from seatrial.run.execute import Execution, Keeping, conclude, execute
from seatrial.run.observer import Silent
from seatrial.run.openruns import OpenRun
from seatrial.run.plan import Plan, make_plan
from seatrial.store import UNKNOWN, Origin

TEXT = "experiment: x\nload: {scenario: a.py, rate: 100/s}\nduration: 20s\nobjectives: {errors: {max: 1%}}\n"
EXPERIMENT = build(Experiment, parse(TEXT, "x.yaml"))


def log() -> RequestLog:
    rows = [
        {"intended": i / 100, "sent": i / 100, "ended": i / 100 + 0.001, "ok": True, "status": 200, "name": "/",
         "served_by": "", "error": "", "worker": "0", "key": f"w{i}"}
        for i in range(2000)
    ]  # fmt: skip
    return log_of(rows)


def case(**changes: object) -> Case:
    return replace(Case(EXPERIMENT, "shop", ()), **changes)  # type: ignore[arg-type]


@contextmanager
def keeping(directory: Path) -> Iterator[Keeping]:
    clock = RunClock.start()
    evidence = Evidence.create("x", datetime(2026, 11, 1, tzinfo=UTC), directory / "run")
    run = OpenRun(evidence.run, "x", "shop", str(evidence.directory), "2026-11-01T00:00:00+00:00", "", 1)
    with openruns.begin(directory, run) as held:
        journal = RunJournal(evidence.path("journal.jsonl"))
        journal.write("run.started", clock.now(), clock.anchor_wall, run=evidence.run)
        yield Keeping(evidence, journal, directory, held, None, clock)


def concluded(directory: Path, case: Case, endings: tuple[RunEnding, ...] = ()) -> Execution:
    requests = log()
    with keeping(directory) as place:
        conducted = Conducted(requests, (), 20.0, endings, place.now.anchor_mono_s)
        return conclude(case, conducted, place.now, Backdrop(requests, TEXT, EXPERIMENT, {}), place)


def verdict(execution: Execution) -> dict[str, object]:
    found: dict[str, object] = json.loads(execution.evidence.path("verdict.json").read_text())
    return found


def test_all_went_well(tmp_path: Path) -> None:
    execution = concluded(tmp_path, case())
    assert (execution.exit_code, execution.pending) == (0, ())
    assert verdict(execution)["verdict"] == "pass"
    assert list(openruns.left(tmp_path)) == []


@pytest.mark.parametrize(
    ("moment", "missing", "kept"),
    [
        ("seatrial.run.conclusion.render_html", "report.html", ["verdict.json", "junit.xml", "seal"]),
        ("seatrial.run.conclusion.junit", "junit.xml", ["verdict.json", "report.html", "seal"]),
        ("seatrial.run.conclusion.seal_evidence", "the seal", ["verdict.json", "report.html", "junit.xml"]),
        ("seatrial.run.case.measure", "the judgement", ["verdict.json", "report.html", "seal"]),
    ],
)
@pytest.mark.parametrize("error", [KeyError("nope"), CannotStore("the disk is full")])
def test_what_fails_takes_nothing_with_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    missing: str,
    kept: list[str],
    error: Exception,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(moment, fail)
    execution = concluded(tmp_path, case())
    ours = isinstance(error, KeyError)
    assert execution.result.verdict is Verdict.UNKNOWN
    assert execution.exit_code == (70 if ours else 2)
    (reason,) = execution.result.reasons
    assert reason.startswith(f"missing: {missing}: ")
    assert verdict(execution)["reasons"] == [reason]
    assert all(execution.evidence.path(name).exists() for name in kept)
    assert execution.evidence.path("defect.txt").exists() == ours
    if ours:
        assert "KeyError: 'nope'" in execution.evidence.path("defect.txt").read_text()


def test_a_fail_is_told_as_one_although_its_report_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyError("nope")

    monkeypatch.setattr("seatrial.run.conclusion.render_html", fail)
    execution = concluded(tmp_path, case(), (RunEnding(Verdict.FAIL, "guard: all was bad"),))
    assert execution.defective
    assert execution.exit_code == 1
    assert execution.result.reasons[0] == "guard: all was bad"


def test_evidence_that_takes_no_verdict_leaves_it_in_the_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Evidence.write_bytes

    def full(evidence: Evidence, name: str, data: bytes) -> None:
        if name == "verdict.json":
            raise CannotStore(f"{name}: no space left")
        write(evidence, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "write_bytes", full)
        execution = concluded(tmp_path, case())
    assert execution.exit_code == 2
    assert "missing: verdict.json: no space left" in execution.result.reasons
    assert "is not in its evidence yet" in execution.pending[0]
    (held,) = openruns.left(tmp_path)
    assert held.run.verdict is not None
    assert held.run.verdict["verdict"] == "unknown"
    assert not execution.evidence.path("seal").exists(), "it is sealed with its verdict, by the next who can"


# a whole run, whose load, faults and target are a test's


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    short = TEXT.replace("a.py", "s.py").replace("20s", "300ms\nwarmup: 0s")
    for name, text in {"x.yaml": short, "t.yaml": TARGET, "s.py": ""}.items():
        Path(name).write_text(text)
    return make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))


@dataclass
class Heard:
    """A reporter that remembers what it was told."""

    reproduce: str = "seatrial run x.yaml"
    away: bool = False
    told: list[str] = field(default_factory=list)

    def started(self, run: str, experiment: str, target: str) -> None:
        self._hear(f"{experiment} on {target} begins")

    def finished(self, result: RunResult, origin: Origin = UNKNOWN) -> bool:
        self._hear(f"{result.experiment} ends: {result.verdict}")
        assert origin.experiment_sha256, "what was run is told with how it ended"
        return True

    def _hear(self, line: str) -> None:
        if self.away:
            raise Unavailable("the run database does not answer")
        self.told.append(line)


def run(plan: Plan, rehearsal: Rehearsal, reporter: Heard | None = None) -> Execution:
    known_as = cast("Reporter | None", reporter)
    out = rehearsal.directory / "run"
    return execute(plan, rehearsal.directory, Silent(), rehearsal.stop, out, known_as, rehearsal.means)


def test_a_run_is_begun_conducted_judged_kept_and_told(tmp_path: Path, plan: Plan) -> None:
    reporter = Heard()
    execution = run(plan, Rehearsal(tmp_path, load=FakeLoad(log=rows(30))), reporter)
    assert (execution.exit_code, execution.pending, execution.defective) == (0, (), False)
    assert reporter.told == ["x on shop begins", "x ends: pass"]
    assert list(openruns.left(tmp_path)) == []
    for name in (
        "experiment.yaml",
        "plan.json",
        "journal.jsonl",
        "verdict.json",
        "report.html",
        "junit.xml",
        "seal",
    ):
        assert execution.evidence.path(name).exists(), name
    assert not execution.evidence.path(".room").exists()
    events = [event["event"] for event in read_journal(execution.evidence.path("journal.jsonl"))]
    assert (events[0], events[-1]) == ("run.started", "run.ended")


def test_a_target_that_is_not_there_is_an_unknown_with_its_evidence(tmp_path: Path, plan: Plan) -> None:
    def refuse(_: Plan) -> None:
        raise Unavailable("the target shop is not healthy: nobody answers; nothing was started")

    execution = run(plan, Rehearsal(tmp_path, require_healthy=refuse))
    assert execution.exit_code == 2
    assert execution.result.reasons == (
        "the target shop is not healthy: nobody answers; nothing was started",
    )
    assert execution.result.measurement is None
    assert verdict(execution)["verdict"] == "unknown"


def test_a_person_who_ends_it_gets_no_verdict_on_the_target(tmp_path: Path, plan: Plan) -> None:
    rehearsal = Rehearsal(tmp_path)
    rehearsal.stop.set()
    execution = run(plan, rehearsal)
    assert execution.exit_code == 130
    assert execution.result.verdict is Verdict.UNKNOWN


def test_what_the_run_database_was_not_told_is_kept_for_the_next(tmp_path: Path, plan: Plan) -> None:
    execution = run(plan, Rehearsal(tmp_path, load=FakeLoad(log=rows(30))), Heard(away=True))
    assert execution.result.verdict is Verdict.PASS
    assert "is not in the run database yet" in execution.pending[0]
    (held,) = openruns.left(tmp_path)
    assert (held.run.command, held.run.pid) == ("seatrial run x.yaml", os.getpid())


@pytest.mark.parametrize("moment", ["write_json", "keep_room"])
def test_without_a_place_for_its_evidence_nothing_is_started_and_nothing_left(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def full(*_: object) -> None:
        raise CannotStore("plan.json: no space left")

    def launch(_: object) -> FakeLoad:
        raise AssertionError("nothing may be started")

    monkeypatch.setattr(Evidence, moment, full)
    with pytest.raises(CannotStore, match="no space left"):
        run(plan, Rehearsal(tmp_path, launch=launch))
    assert not (tmp_path / "run").exists()
    assert list(openruns.left(tmp_path)) == []


def test_a_directory_with_something_in_it_is_not_written_over(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    with pytest.raises(BadInput, match="the directory is not empty"):
        run(plan, Rehearsal(tmp_path))
