"""What a person is told while a run goes on."""

from __future__ import annotations

import threading

import pytest

from seatrial.cli.live import LiveView
from seatrial.run.observer import Progress


def test_what_a_scenario_means_otherwise_is_said_once_before_its_load(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = ("wait_time of Visitor means nothing: the rate says when arrivals come",)
    with LiveView("A load", threading.Event()) as view:
        for phase, notices in (("starting load", ()), ("warming up", said), ("measuring", said)):
            view.progress(Progress(phase, 0.0, 1.0, None, (), notices))
    assert capsys.readouterr().err.splitlines() == [
        "A load: starting load",
        f"note: {said[0]}",
        "A load: warming up",
        "A load: measuring",
    ]
