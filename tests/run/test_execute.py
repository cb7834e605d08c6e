"""From what happened to a verdict: whatever fails on the way to it is missing in it, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.rows import log_of

from seatrial.checks.acknowledged_writes import AcknowledgedWrites
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.problems import CannotStore, Unavailable
from seatrial.model.requestlog import RequestLog
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.clock import RunClock
from seatrial.run.conclusion import Backdrop
from seatrial.run.conductor import Conducted, Ending
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.execute import Case, Execution, Keeping, conclude
from seatrial.run.openruns import OpenRun

TEXT = "experiment: x\nload: {scenario: a.py, rate: 100/s}\nduration: 20s\nobjectives: {errors: {max: 1%}}\n"
EXPERIMENT = build(Experiment, parse(TEXT, "x.yaml"))
WRITES = Role("writes", "http", {}, (), ".")


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


def concluded(directory: Path, case: Case, endings: tuple[Ending, ...] = ()) -> Execution:
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
        ("seatrial.run.execute.measure", "the judgement", ["verdict.json", "report.html", "seal"]),
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
    execution = concluded(tmp_path, case(), (Ending(Verdict.FAIL, "guard: all was bad"),))
    assert execution.defective
    assert execution.exit_code == 1
    assert execution.result.reasons[0] == "guard: all was bad"


@pytest.mark.parametrize("error", [ValueError("not JSON"), Unavailable("no answer"), KeyError("id")])
def test_whatever_a_target_answers_is_at_worst_an_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def answer(role: Role, keys: list[str]) -> None:
        raise error

    monkeypatch.setattr("seatrial.run.execute.look_up", answer)
    monkeypatch.setattr("seatrial.run.execute.record_role", answer)
    execution = concluded(
        tmp_path, case(checks=(AcknowledgedWrites(),), lookups=(WRITES,), recordings=(WRITES,))
    )
    assert execution.exit_code == 2
    (reason,) = execution.result.reasons
    assert str(error) in reason
    assert verdict(execution)["verdict"] == "unknown"
    assert execution.evidence.path("seal").exists()


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
