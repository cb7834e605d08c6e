"""A policy check that is measured and sealed is what the matrix rests on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seatrial.trials.policies as recording
from seatrial.ledger import verify_sealed
from seatrial.matrix.policies import RESULT, from_check, latest_check, policies_hash
from seatrial.model.readiness import Evidence, Limit
from seatrial.model.verdict import Verdict
from seatrial.policy import Report, Request
from seatrial.policy.outcome import Broken, Told
from seatrial.run.sealing import own_keys
from seatrial.trials.policies import record_check


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy/p.rego").write_text('package main\ndeny contains "x" if input.kind == "A"\n')
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.yaml").write_text("kind: B\n")
    return Request(("in",), (Path("policy"),))


def test_what_is_sealed_passes_in_the_matrix(request_: Request, tmp_path: Path) -> None:
    home = tmp_path / "home"
    directory, report, verdict = record_check(request_, "policy", home)
    assert (report.verdict, verdict) == (Verdict.PASS, Verdict.PASS)
    assert verify_sealed(directory, own_keys(home)).verdict is Verdict.PASS
    found = latest_check([directory], "policy", own_keys(home))
    assert found is not None
    spec = Evidence(policy="policy", figure="incremental", max=Limit.parse("60s"))
    finding = from_check(spec, found, policies_hash(Path("policy")))
    assert (finding.verdict, finding.gone, finding.run) == (Verdict.PASS, "", directory.name)
    told = json.loads((directory / RESULT).read_text())
    assert [check["evaluated"] for check in told["checks"].values()] == [1, 0, 1]


def test_a_denial_is_sealed_as_a_fail(request_: Request, tmp_path: Path) -> None:
    Path("in/a.yaml").write_text("kind: A\n")
    directory, _, verdict = record_check(request_, "policy", tmp_path / "home")
    assert verdict is Verdict.FAIL
    assert json.loads((directory / RESULT).read_text())["reason"] == "1 messages, of which some deny"


def test_an_incremental_check_that_says_something_else_is_a_fail(
    request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(told: dict[str, Told]) -> Report:
        return Report(told, 1, 1, 1, ("main.deny",), "abc", "regorus", "2026-11-29T10:00:00+00:00", 0.1)

    three = [("a", report({})), ("b", report({})), ("c", report({"in/a.yaml": Told(broken=Broken("x"))}))]
    monkeypatch.setattr(recording, "measure", lambda _: three)
    directory, found, verdict = record_check(request_, "policy", tmp_path / "home")
    assert (found.verdict, verdict) == (Verdict.PASS, Verdict.FAIL)
    assert found.notes == ("the check 'incremental' said something else than the full one",)
    assert json.loads((directory / RESULT).read_text())["verdict"] == "fail"
