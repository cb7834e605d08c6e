"""Spools of several workers become one log, once each has ended or is known to be dead."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tests.support.unpatched_locust  # noqa: F401  # before gevent

from seatrial.load import merging
from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import Recorder
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate

OFFER = Offer((RateStep(0.0, Rate(1, 1.0)),), "even", 5, 0.0, 3.0)


def worker(path: Path, name: str, pid: int) -> Recorder:
    header = SpoolHeader(
        name, pid, 1234.5, 1.7e9, OFFER, Share(0, 1), 2.0, "scenario.py", "http://127.0.0.1:1"
    )
    recorder = Recorder(path, header)
    recorder.add(0.5 + float(name), 0.5, 0.75, True, 200, "GET /", "", "")
    recorder.flush()
    return recorder


@pytest.fixture
def dead() -> int:
    """The number of a process that there is no more."""
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as process:
        process.wait()
    return process.pid


def test_workers_that_have_ended_are_one_log(tmp_path: Path) -> None:
    paths = [tmp_path / "0.spool", tmp_path / "1.spool"]
    for number, path in enumerate(paths):
        worker(path, str(number), os.getpid()).close()
    log, whole = merging.merged([SpoolReader(path) for path in paths], deadline_s=60.0)
    assert whole
    assert log.intended.tolist() == [0.5, 1.5]
    assert log.worker.texts() == ["0", "1"]


def test_one_that_died_is_not_waited_for_and_its_arrivals_are_accounted_for(
    tmp_path: Path, dead: int, caplog: pytest.LogCaptureFixture
) -> None:
    worker(tmp_path / "0.spool", "0", dead)
    with caplog.at_level(logging.ERROR):
        log, whole = merging.merged([SpoolReader(tmp_path / "0.spool")], deadline_s=math.inf)
    assert not whole
    assert "Load worker 0 died" in caplog.text
    assert log.intended[0] == 0.5


def test_one_that_neither_ends_nor_dies_is_waited_for_no_longer_than_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_PATIENCE_S", 0.0)
    recorder = worker(tmp_path / "0.spool", "0", os.getpid())
    log, whole = merging.merged([SpoolReader(tmp_path / "0.spool")], deadline_s=0.0)
    assert (len(log), whole) == (1, False)
    recorder.close()
