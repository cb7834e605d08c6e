"""What a report shows of who noticed, and of replication: a gap is a gap."""

from __future__ import annotations

from dataclasses import replace

from seatrial.model.bounds import Bounds
from seatrial.model.noticing import Detection, LagInstant, LagSeries
from seatrial.model.verdict import Verdict
from seatrial.report.noticing import detection, lag, sentence

FOUND = Detection("crash", "Down", "prometheus", Bounds(0.356, 0.905), Bounds(1.0, 1.02), Verdict.PASS)


def test_a_detection_stands_beside_the_recovery() -> None:
    shown = detection(FOUND)
    assert (shown.noticed, shown.recovered) == ("356 … 905 ms", "1.00 … 1.02 s")
    assert sentence(FOUND) == "crash: Down fired after 356 … 905 ms; well again after 1.00 … 1.02 s"


def test_what_nobody_noticed_is_said() -> None:
    missed = Detection("crash", "Down", "pagerduty", None, None, Verdict.FAIL)
    assert detection(missed).noticed == "–"
    assert sentence(missed) == "crash: not noticed by Down; well again after –"
    unknown = replace(missed, verdict=Verdict.UNKNOWN)  # nobody looked, or not for long enough
    assert sentence(unknown) == "crash: whether Down fired is not known; well again after –"


def test_a_stretch_without_a_figure_is_not_drawn_as_zero() -> None:
    known, none = LagInstant(0.0, Bounds(0.0, 0.5)), LagInstant(1.0, None)
    shown = lag(LagSeries(Bounds(0.0, 0.5), 1.0, (known, none, known, known)))
    assert shown is not None
    assert len(shown.bands) == 2
    assert shown.bands[0].split() == ["0.0,0.0", "250.0,0.0", "250.0,160.0", "0.0,160.0"]
    assert (shown.worst, shown.unmeasured) == ("0 … 500 ms", "1.00 s")


def test_what_was_not_asked_for_is_not_drawn() -> None:
    assert lag(None) is None
    nothing = lag(LagSeries(None, 4.0, (LagInstant(0.0, None),) * 4))
    assert nothing is not None
    assert (nothing.worst, nothing.bands) == ("–", ())
