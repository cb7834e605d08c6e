"""A suite goes on where one of its runs finds no room, and says what became of the whole."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.results import result

from seatrial.model.problems import CannotStore
from seatrial.model.quantities import Duration
from seatrial.model.suite import Suite
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import Plan
from seatrial.run.suite import SuitePlan, execute_suite

NAMES = ("small", "large", "other")
SUITE = SuitePlan(
    Suite(suite="nightly", experiments=NAMES, pause=Duration(0.0)),
    tuple(
        cast("Plan", SimpleNamespace(
            experiment=SimpleNamespace(experiment=name, title="", covers=()), target=SimpleNamespace(target="shop")
        ))
        for name in NAMES
    ),
)  # fmt: skip


def run(plan: Plan, directory: Path) -> Execution:
    if plan.experiment.experiment == "large":
        raise CannotStore("/evidence: 12 KiB are free; nothing was started")
    passed = replace(result(Verdict.PASS), experiment=plan.experiment.experiment)
    return Execution(passed, Evidence(directory))


def test_a_run_without_room_is_unknown_and_the_others_are_run(tmp_path: Path) -> None:
    whole = execute_suite(SUITE, run, threading.Event(), lambda _: None, tmp_path / "suite")
    assert [each.verdict for each in whole.runs] == [Verdict.PASS, Verdict.UNKNOWN, Verdict.PASS]
    assert whole.runs[1].reasons == ("/evidence: 12 KiB are free; nothing was started",)
    assert whole.verdict is Verdict.UNKNOWN
    assert json.loads((tmp_path / "suite" / "suite.json").read_text())["verdict"] == "unknown"


def test_a_suite_whose_account_is_not_kept_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, name: str, value: object) -> None:
        raise CannotStore(f"{name}: no space left")

    monkeypatch.setattr(Evidence, "write_json", full)
    alone = replace(SUITE, plans=SUITE.plans[:1])
    whole = execute_suite(alone, run, threading.Event(), lambda _: None, tmp_path / "suite")
    assert whole.verdict is Verdict.UNKNOWN
    assert whole.reasons == ("missing: suite.json: no space left",)
