"""What is told of an exploration: a weakness once, with all that it was seen as."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.explore.conftest import RULES, Simulated

from seatrial.cli import exploring
from seatrial.explore.search import End
from seatrial.model.exitcodes import ExitCode
from seatrial.trials.exploration_account import Done, account_of


@pytest.fixture
def done() -> Done:
    """One that found a weakness, and was looking into the same again when time was up."""
    exploration = Simulated(RULES["both away"], runs_left=46).exploration(first=False, seed=1)
    assert exploration.explore() is End.TIME
    known, interim = exploration.standing
    files = {known.schedule: Path("known.yaml"), interim.schedule: Path("interim.yaml")}
    return Done(exploration, End.TIME, Path("runs/x"), [], 1.0, files)


def test_one_weakness_is_listed_once_and_its_other_findings_are_its_witnesses(done: Done) -> None:
    (weakness,) = account_of(done)["weaknesses"]
    assert (weakness["shrunk"], weakness["experiment"]) == (True, "known.yaml")
    assert [each["fault"] for each in weakness["schedule"]] == [
        "process.kill on alpha",
        "process.pause on beta",
    ]
    (witness,) = weakness["witnesses"]
    assert (witness["shrunk"], witness["experiment"]) == (False, "interim.yaml")
    assert done.exit_code is ExitCode.FAIL


def test_so_it_is_at_a_terminal(done: Done, capsys: pytest.CaptureFixture[str]) -> None:
    exploring._show(done)
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert sum(line.startswith("weakness:") for line in lines) == 1
    assert sum(line.startswith("seen as well as: process.") for line in lines) == 1
    assert [line for line in lines if line.startswith("run it:")] == [
        "run it: seatrial run known.yaml",
        "run it: seatrial run interim.yaml",
    ]
