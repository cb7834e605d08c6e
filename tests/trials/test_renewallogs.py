"""What renewals have said goes with their runs, and is never too much."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.trials.test_retention import old_run, place

from seatrial.store import Store
from seatrial.trials import renewallogs
from seatrial.trials.renewallogs import new_log, outdated_logs

__all__ = ["place"]  # the fixture
NOW = datetime.now(UTC)


def log(place: Path, begun: datetime, ended: datetime) -> Path:
    path = new_log(place / "home", begun)
    path.write_text("seatrial: started\n")
    os.utime(path, (ended.timestamp(), ended.timestamp()))
    return path


def prune(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    return seatrial(monkeypatch, "report", "prune", "--keep", "1d", "--json", *options)


def test_a_log_goes_with_the_evidence_of_its_runs_and_not_before(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = old_run(place)
    with Store.default() as store:
        (run,) = store.history.runs()
    of_it = log(place, run.started_at - timedelta(seconds=9), run.started_at + timedelta(minutes=2))
    refused = log(place, NOW - timedelta(days=9), NOW - timedelta(days=9))
    of_today = log(place, NOW, NOW)
    (place / "home/renewals/20200101T000000000000.log").symlink_to(directory / "verdict.json")
    notes = place / "home/renewals/notes.log"
    notes.write_text("mine")

    (directory / "experiment.yaml").write_text("experiment: y\n")  # evidence that is left alone
    assert prune(monkeypatch, "--dry-run") == 0
    assert json.loads(capsys.readouterr().out)["logs"] == [str(refused)]
    assert refused.exists()
    assert prune(monkeypatch) == 64  # nobody can be asked
    assert prune(monkeypatch, "--yes") == 0
    assert [each.exists() for each in (of_it, refused, of_today)] == [True, False, True]

    (directory / "experiment.yaml").write_text("experiment: x\n")
    capsys.readouterr()
    assert prune(monkeypatch, "--yes") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["logs"] == [str(of_it)]
    assert "and 1 logs of renewals; the runs stay on record" in told.err
    assert not directory.exists()
    assert [each.exists() for each in (of_it, of_today, notes)] == [False, True, True]


def test_runs_of_another_machine_keep_no_log_here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_run(place)
    with Store.default() as store:
        (run,) = store.history.runs()
        of_it = log(place, run.started_at, run.started_at + timedelta(seconds=1))
        assert outdated_logs(store, place / "home", NOW) == []
        monkeypatch.setattr("socket.gethostname", lambda: "another")
        assert [each.path for each in outdated_logs(store, place / "home", NOW)] == [of_it]


def test_the_latest_stay_whatever_nobody_prunes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewallogs, "MOST", 3)
    made = [log(place, NOW + timedelta(microseconds=number), NOW) for number in range(7)]
    assert sorted((place / "home/renewals").iterdir()) == made[-3:]
