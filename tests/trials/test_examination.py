"""What is to run some day is looked at today, without anything being started."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial import testbed
from seatrial.files import read
from seatrial.model.problems import CannotStore
from seatrial.trials.examination import examined, problems_of
from seatrial.trials.request import TrialRequest
from seatrial.trials.targets import tenants_wanted


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))


def test_the_monthly_suite_is_right_for_the_testbed_which_is_not_started(tmp_path: Path) -> None:
    assert problems_of(TrialRequest("chaos/suites/monthly.yaml", "suite", "chaos/targets/testbed.yaml")) == []
    assert testbed.status() is None
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    "shipped",
    [
        path.name
        for path in sorted(Path(__file__).parents[2].glob("chaos/*.yaml"))
        if path.stem not in ("readiness", "explore")  # what is explored gets its timeline then
    ],
)
def test_every_shipped_experiment_is_right_for_the_testbed(shipped: str) -> None:
    assert problems_of(TrialRequest(f"chaos/{shipped}")) == []


@pytest.mark.parametrize(
    "twin", [path.name for path in sorted(Path(__file__).parents[2].glob("chaos/twins/*.yaml"))]
)
def test_every_twin_is_right_for_the_testbed(twin: str) -> None:
    assert problems_of(TrialRequest(f"chaos/twins/{twin}")) == []


def test_all_that_is_wrong_is_told() -> None:
    Path("s.yaml").write_text("suite: s\nexperiments: [x.yaml]\n")
    Path("x.yaml").write_text("experiment: x\nload: {scenario: x.py, rate: 1/s}\nduration: 10\n")
    Path("x.py").write_text("def\n")
    told = [str(problem) for problem in problems_of(TrialRequest("s.yaml", "suite", "nowhere.yaml"))]
    assert [line.split(": ")[0] for line in told] == ["target nowhere.yaml", "x.yaml:3:11", "x.py:1:4"]
    (line,) = map(str, problems_of(TrialRequest("nowhere.yaml", "suite")))
    assert line.startswith("suite nowhere.yaml: no such file")


def test_a_machine_that_does_not_let_us_look_is_no_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bool:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("pathlib.Path.exists", refuse)
    with pytest.raises(CannotStore, match=r"Too many open files.*ulimit -n"):
        examined(TrialRequest("x.yaml", evidence=Path("out")))


@pytest.mark.usefixtures("files_here")
def test_the_testbed_is_brought_up_with_as_many_tenants_as_the_most_demanding_wants() -> None:
    experiment = Path("x.yaml").read_text()
    Path("many.yaml").write_text(experiment + "\ntestbed: {tenants: 100}\n")
    Path("all.yaml").write_text("suite: all\nexperiments: [x.yaml, many.yaml]\n")
    wanted = {name: tenants_wanted(read(name, what)) for name, what in (
        ("x.yaml", "experiment"), ("many.yaml", "experiment"), ("all.yaml", "suite"))}  # fmt: skip
    assert wanted == {"x.yaml": 4, "many.yaml": 100, "all.yaml": 100}
