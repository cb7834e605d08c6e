"""What a person is told while a run goes on."""

from __future__ import annotations

import threading

import pytest

from seatrial.cli.live import LiveView
from seatrial.run.live import LiveFigures
from seatrial.run.observer import Progress


def test_what_a_scenario_means_otherwise_is_said_once_before_its_load(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = ("wait_time of Visitor means nothing: the rate says when arrivals come",)
    with LiveView("A load", threading.Event()) as view:
        for phase, notices in (("starting load", ()), ("warming up", said), ("measuring", said)):
            view.progress(Progress(phase, 0.0, 1.0, None, (), notices))
    assert capsys.readouterr().err.splitlines() == [
        "A load: starting load, 1 s left",
        f"note: {said[0]}",
        "A load: warming up, 1 s left",
        "A load: measuring, 1 s left",
    ]


def test_a_long_run_tells_now_and_then_how_long_it_still_takes(capsys: pytest.CaptureFixture[str]) -> None:
    figures = LiveFigures(100.0, 100.0, 10, 0, 0.0, 1.0)
    with LiveView("An hour", threading.Event()) as view:
        for at_s in range(3601):
            view.progress(Progress("measuring", float(at_s), 3600.0, figures, ()))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[1] == "An hour: measuring, 57 min left"
    assert lines[-1] == "An hour: measuring, 3 min left"


def test_a_run_that_was_cut_short_has_no_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveView("A load", threading.Event()) as view:
        view.progress(Progress("undoing", 4.0, 20.0, None, (), ended=True))
    assert capsys.readouterr().err == "A load: undoing\n"
