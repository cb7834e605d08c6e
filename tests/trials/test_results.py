"""A run's result is read from its evidence; one that was killed is finished first."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.dead_run import dead_run
from tests.trials.conftest import Person

from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.trials.results import recorded_result, result_of


def test_a_killed_run_is_finished_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    dead = dead_run(tmp_path)
    found = result_of(dead.evidence.directory, person)
    assert (found.run, found.verdict, found.interrupted) == (dead.evidence.run, Verdict.UNKNOWN, True)
    assert result_of(dead.evidence.directory, person) == recorded_result(dead.evidence.directory) == found


def test_a_directory_that_is_no_run_is_said_to_be_none(tmp_path: Path, person: Person) -> None:
    with pytest.raises(BadInput, match="a run is the directory that `seatrial run` named"):
        result_of(tmp_path, person)
