"""A suite is planned whole before the first experiment is started, and says what became of the whole."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.planning import EXPERIMENT, TARGET
from tests.support.results import result, unverified

from seatrial import files
from seatrial.model.problems import BadInput, CannotStore
from seatrial.model.quantities import Duration
from seatrial.model.suite import Suite
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import Plan
from seatrial.run.suite import execute_suite
from seatrial.run.suiteplan import SuitePlan, plan_suite, problems_of_suite

NAMES = ("small", "large", "other")
SUITE = SuitePlan(
    Suite(suite="nightly", experiments=NAMES, pause=Duration(0.0)),
    tuple(
        cast("Plan", SimpleNamespace(
            experiment=SimpleNamespace(
                experiment=name, title="", covers=(), warmup=Duration(5.0), duration=Duration(55.0)
            ),
            target=SimpleNamespace(target="shop"),
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
    lines: list[str] = []
    whole = execute_suite(SUITE, run, threading.Event(), lambda _: None, tmp_path / "suite", lines.append)
    assert lines == [
        "1 of 3: small; at least 3 min left",
        "2 of 3: large; about 2 min left",
        "3 of 3: other; about 60 s left",
    ]
    assert [each.verdict for each in whole.runs] == [Verdict.PASS, Verdict.UNKNOWN, Verdict.PASS]
    assert whole.runs[1].reasons == ("/evidence: 12 KiB are free; nothing was started",)
    assert whole.verdict is Verdict.UNKNOWN
    assert json.loads((tmp_path / "suite" / "suite.json").read_text())["verdict"] == "unknown"


def test_a_suite_whose_account_is_not_kept_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, name: str, value: object) -> None:
        raise CannotStore(f"{name}: no space left")

    def judged(_plan: Plan, directory: Path) -> Execution:
        monkeypatch.setattr(Evidence, "write_json", full)
        return Execution(result(Verdict.PASS), Evidence(directory))

    alone = replace(SUITE, plans=SUITE.plans[:1])
    whole = execute_suite(alone, judged, threading.Event(), lambda _: None, tmp_path / "suite")
    assert whole.verdict is Verdict.UNKNOWN
    assert whole.reasons == ("missing: suite.json: no space left",)


def test_a_suite_that_is_killed_has_its_account(tmp_path: Path) -> None:
    """Of the run in which it was killed, its own evidence tells, once it is finished."""

    def killed(plan: Plan, directory: Path) -> Execution:
        if plan.experiment.experiment == "other":
            raise KeyboardInterrupt
        return run(plan, directory)

    with pytest.raises(KeyboardInterrupt):
        execute_suite(SUITE, killed, threading.Event(), lambda _: None, tmp_path / "suite")
    account = json.loads((tmp_path / "suite" / "suite.json").read_text())
    assert (account["verdict"], len(account["runs"]), account["not_run"]) == ("unknown", 2, ["other"])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_it_goes_on_whatever_the_verdict(tmp_path: Path, verdict: Verdict) -> None:
    def judged(_plan: Plan, directory: Path) -> Execution:
        return Execution(result(verdict), Evidence(directory))

    whole = execute_suite(SUITE, judged, threading.Event(), lambda _: None, tmp_path / "out")
    assert (whole.verdict, len(whole.runs), whole.not_run) == (verdict, 3, ())


def test_it_ends_where_something_is_left_behind(tmp_path: Path) -> None:
    """The next experiment would measure a target that is not what it was; that is no interrupt, but a fail."""
    results = iter([result(Verdict.PASS), result(Verdict.FAIL, steps=(unverified(),))])

    def judged(_plan: Plan, directory: Path) -> Execution:
        return Execution(next(results), Evidence(directory))

    whole = execute_suite(SUITE, judged, threading.Event(), lambda _: None, tmp_path / "out")
    assert (whole.verdict, len(whole.runs), whole.not_run) == (Verdict.FAIL, 2, ("other",))
    assert not whole.interrupted


def test_one_that_is_stopped_is_interrupted(tmp_path: Path) -> None:
    stop = threading.Event()

    def judged(_plan: Plan, directory: Path) -> Execution:
        stop.set()
        return Execution(result(Verdict.PASS), Evidence(directory))

    whole = execute_suite(SUITE, judged, stop, lambda _: None, tmp_path / "out")
    assert (whole.verdict, len(whole.runs), whole.interrupted) == (Verdict.UNKNOWN, 1, True)


# planning


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("suites").mkdir()
    for name, text in {
        "s.py": "",
        "t.yaml": TARGET,
        "good.yaml": EXPERIMENT,
        "suites/beside.yaml": EXPERIMENT.replace("experiment: x", "experiment: beside"),
        "typo.yaml": EXPERIMENT.replace("duration", "duratoin"),
        "broken.yaml": EXPERIMENT.replace("s.py", "broken.py"),
        "broken.py": "def home(self:\n",
    }.items():
        Path(name).write_text(text)


def suite(text: str) -> files.Source:
    Path("suites/s.yaml").write_text(text)
    return files.read("suites/s.yaml", "suite")


def test_experiments_are_found_from_here_and_from_the_suite() -> None:
    source = suite("suite: s\nexperiments: [good.yaml, beside.yaml]\n")
    planned = plan_suite(source, files.read("t.yaml", "target"))
    assert [plan.experiment.experiment for plan in planned.plans] == ["x", "beside"]
    assert problems_of_suite(source, None) == []


def test_all_that_is_wrong_is_told_once_and_at_once() -> None:
    Path("t.yaml").write_text(TARGET.replace("pidfile", "pidfil"))
    source = suite(
        "suite: s\npause: 3\nexperiments: [good.yaml, typo.yaml, nowhere.yaml, broken.yaml, 7, s.yaml]\n"
    )
    with pytest.raises(BadInput) as caught:
        plan_suite(source, files.read("t.yaml", "target"))
    told = [str(problem) for problem in caught.value.problems]
    for expected in (
        "suites/s.yaml:2:8: pause: '3' is not a duration",
        "suites/s.yaml:3:37: experiments[2]: no such file here",
        "suites/s.yaml:3:64: experiments[4]: '7' stands where text",
        "t.yaml:5:29: roles.worker.pidfil: unknown key",
        "typo.yaml:1:1: duration: is required and missing",
        "typo.yaml:3:1: duratoin: unknown key",
        "broken.py:1:9: not valid Python: '(' was never closed",
        "s.yaml:1:1: suite: this is a suite, and an experiment is expected here",
    ):
        assert any(problem.startswith(expected) for problem in told), (expected, told)
    assert len(told) == 8


def test_without_a_target_the_experiments_are_looked_at_all_the_same() -> None:
    told = [str(each) for each in problems_of_suite(suite("suite: s\nexperiments: [typo.yaml]\n"), None)]
    assert [problem.split(":")[0] for problem in told] == ["typo.yaml"] * 2
