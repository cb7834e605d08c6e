"""A trial from its request to its record, whoever asks for it; the runs themselves are a test's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.results import result, unverified
from tests.trials.conftest import Person

from seatrial.model.offeredrate import OfferedRate
from seatrial.model.problems import BadInput, Interrupted, Problem, Problems, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import Plan
from seatrial.store import Store
from seatrial.trials.request import TrialRequest
from seatrial.trials.running import run_experiment, run_suite

pytestmark = pytest.mark.usefixtures("files_here")
SUITE = TrialRequest("both.yaml", "suite", target="t.yaml")


def passed(plan: Plan, directory: Path | None) -> Execution:
    """A run that has kept every promise."""
    return Execution(
        result(Verdict.PASS, experiment=plan.experiment.experiment), Evidence(directory or Path())
    )


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """How runs were executed: each fails, and is recorded by whoever was given."""
    calls: list[tuple[Any, ...]] = []

    def execute(
        plan: Plan, home: Path, view: object, stop: object, out: Path | None, reporter: Any
    ) -> Execution:
        calls.append((plan, home, out, reporter))
        failed = result(Verdict.FAIL, experiment=plan.experiment.experiment)
        if reporter is not None:
            reporter.finished(failed)
        return Execution(failed, Evidence(Path()))

    monkeypatch.setattr("seatrial.trials.running.execute", execute)
    return calls


def test_an_experiment_is_run_as_it_was_asked_for_and_recorded(
    tmp_path: Path, person: Person, executed: list[tuple[Any, ...]]
) -> None:
    request = TrialRequest(
        "x.yaml", target="t.yaml", rate=OfferedRate.parse("7/s"), evidence=tmp_path / "out"
    )
    execution = run_experiment(request, person)
    assert execution.exit_code == 1
    ((plan, home, out, reporter),) = executed
    assert (str(plan.shape[0].rate), out, home) == ("7/s", tmp_path / "out", tmp_path / "home")
    assert reporter.reproduce == "seatrial run x.yaml --target t.yaml --rate 7/s"
    assert person.watched == ["x"]
    with Store.default() as store:
        assert [run.verdict for run in store.runs.newest()] == [Verdict.FAIL]


def test_metrics_are_left_for_a_node_exporter(
    tmp_path: Path, person: Person, executed: list[tuple[Any, ...]]
) -> None:
    request = TrialRequest("x.yaml", target="t.yaml", metrics=tmp_path / "seatrial.prom")
    run_experiment(request, person)
    assert 'experiment="x"' in (tmp_path / "seatrial.prom").read_text()


def test_a_run_database_that_is_away_costs_the_record_and_not_the_run(
    monkeypatch: pytest.MonkeyPatch, person: Person, executed: list[tuple[Any, ...]]
) -> None:
    def away() -> Store:
        raise Unavailable("the run database does not answer")

    monkeypatch.setattr(Store, "default", away)
    run_experiment(TrialRequest("x.yaml", target="t.yaml"), person)
    assert executed[0][3] is None
    assert person.heard == ["this run will not be recorded: the run database does not answer"]


def test_all_that_is_wrong_is_told_with_what_was_wrong_before_and_nothing_is_run(
    person: Person, executed: list[tuple[Any, ...]]
) -> None:
    Path("x.yaml").write_text("experiment: x\nload: {scenario: s.py, rate: 1/s}\nduration: 10\n")
    problems = Problems()
    problems.add(Problem("--rate: 'fast' is not a rate"))
    with pytest.raises(BadInput) as caught:
        run_experiment(TrialRequest("x.yaml", target="nowhere.yaml"), person, problems=problems)
    told = [str(problem).split(": ")[0] for problem in caught.value.problems]
    assert told == ["--rate", "target nowhere.yaml", "x.yaml:3:11"]
    assert executed == []


def test_the_wish_to_end_before_a_run_begins_is_heard(
    person: Person, executed: list[tuple[Any, ...]]
) -> None:
    person.stop.set()
    with pytest.raises(Interrupted):
        run_experiment(TrialRequest("x.yaml", target="t.yaml"), person)
    assert executed == []


def test_a_suite_is_run_one_after_the_other_and_each_result_is_told(person: Person) -> None:
    told: list[str] = []
    whole = run_suite(SUITE, person, told=lambda found: told.append(found.experiment), conduct=passed)
    assert told == ["x", "y"]
    assert (whole.suite, whole.verdict, whole.exit_code) == ("both", Verdict.PASS, 0)
    assert (whole.directory / "suite.json").exists()


def test_what_a_run_leaves_behind_ends_a_suite(person: Person) -> None:
    def leaves(plan: Plan, directory: Path | None) -> Execution:
        return Execution(result(Verdict.FAIL, steps=(unverified(),)), Evidence(directory or Path()))

    whole = run_suite(SUITE, person, conduct=leaves)
    assert (whole.not_run, whole.interrupted, whole.exit_code) == (("y",), False, 1)
