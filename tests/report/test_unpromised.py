"""Beside promises: times to detect and to recover, and costs, each with the interval that was measured."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.support.results import COST, MISSED, NOTICED, result

from seatrial.model.pricing import RunCost
from seatrial.model.result import Bounds
from seatrial.report.change import Change
from seatrial.report.unpromised import million, moved, shown, unpromised


def test_the_time_to_detect_stands_before_the_time_to_recover_and_each_of_them_once() -> None:
    by_mail = replace(NOTICED, source="alertmanager", detect=Bounds(2.0, 2.5))
    found = unpromised((NOTICED, by_mail), COST)
    assert [(one.name, one.shown.bracketed) for one in found] == [
        ("crash: until noticed (MemberDown)", "[300, 900] ms"),
        ("crash: until well again", "[1.10, 1.40] s"),
        ("crash: until noticed (MemberDown, alertmanager)", "[2.00, 2.50] s"),
        ("cost of a million requests", "[1.90, 2.00] EUR"),
    ]


def test_what_nobody_measured_is_no_figure() -> None:
    assert unpromised((), None) == ()
    assert unpromised((), RunCost("EUR", None, None, None, None, why="refused")) == ()
    (endless,) = unpromised((MISSED,), None)
    assert (endless.name, shown(endless)) == ("crash: until well again", "[1.10, ∞) s")
    assert [million(each) for each in (None, RunCost("EUR", None, None, None, None), COST)] == [
        "", "–", "1.90 … 2.00 EUR",
    ]  # fmt: skip
    (unanswered,) = unpromised((), RunCost("EUR", 0.1, 0.1, 2.0, None))
    assert unanswered.upper == math.inf


def test_two_runs_differ_only_where_their_intervals_do_not_overlap() -> None:
    before = replace(result(), detections=(NOTICED,), cost=COST)
    later = replace(NOTICED, detect=Bounds(0.95, 1.2), recover=Bounds(1.3, 1.6))
    after = replace(result(), detections=(later,), cost=RunCost("USD", 0.1, 0.1, 1.0, 1.0))
    assert [(row.name.split()[-1], row.change) for row in moved(before, after)] == [
        ("(MemberDown)", Change.WORSE), ("again", Change.ALIKE), ("requests", Change.INCOMPARABLE),
    ]  # fmt: skip
    assert {row.change for row in moved(before, result())} == {Change.INCOMPARABLE}
    assert moved(result(), result()) == ()
