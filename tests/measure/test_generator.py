"""The generator's audit, and when it cannot be believed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure import measure
from seatrial.measure.generator import ENDED_ALONE, LogTells, audit, trusted, untold, vouched_for

FAITHFUL = audit(
    oracle.log_of([Row(i / 100, i / 100 + 0.0002, i / 100 + 0.001, ok=True) for i in range(100)]), 0, 1
)


def test_an_audit_counts_what_became_of_each_arrival() -> None:
    rows = [
        Row(0.00, 0.001, 0.002, ok=True),
        Row(0.25, 0.252, None, ok=False),
        Row(0.50, None, None, ok=False),
        Row(0.75, 0.754, 0.8, ok=False),
    ]
    found = audit(oracle.log_of(rows), 0.0, 1.0)
    assert (found.scheduled, found.sent, found.answered, found.dropped, found.unanswered) == (4, 3, 2, 1, 1)
    assert (found.offered_per_s, found.achieved_per_s) == (4, 3)
    assert (found.late_p50_ms, found.late_max_ms) == pytest.approx((2, 4))
    assert found.late_p99_ms is None  # of three requests


def test_a_faithful_generator_is_believed() -> None:
    assert trusted(FAITHFUL, 0.01) == ""


@pytest.mark.parametrize(
    ("change", "interval_s", "reason"),
    [
        ({"dropped": 1}, 0.01, "dropped 1 of 100 arrivals"),
        ({"late_p99_ms": 21.0}, 0.01, "p99 21.0 ms, allowed 20 ms"),
        ({"late_p99_ms": 6.0}, 0.0001, "p99 6.00 ms, allowed 5 ms"),
        ({"late_max_ms": 1001.0}, 0.01, "max 1,001 ms, allowed 1,000 ms"),
        ({"scheduled": 0}, 0.01, "no arrival was scheduled"),
    ],
)
def test_a_generator_that_fell_behind_has_measured_itself(
    change: dict[str, float], interval_s: float, reason: str
) -> None:
    assert reason in trusted(replace(FAITHFUL, **change), interval_s)  # type: ignore[arg-type]


def test_the_latest_arrival_of_all_is_held_against_the_deadline() -> None:
    hiccup = replace(FAITHFUL, late_max_ms=300.0)
    assert trusted(hiccup, 0.006, deadline_s=1.0) == ""
    assert "max 300 ms, allowed 250 ms" in trusted(hiccup, 0.006, deadline_s=0.5)


def test_below_the_floor_lateness_is_never_held_against_it() -> None:
    assert trusted(replace(FAITHFUL, late_p99_ms=4.0), 0.0001) == ""


def test_nothing_sent_has_no_lateness() -> None:
    found = audit(oracle.log_of([Row(0, None, None, ok=False)]), 0.0, 0.0)
    assert (found.late_p50_ms, found.late_p99_ms, found.late_max_ms) == (None, None, None)
    assert (found.offered_per_s, found.dropped) == (None, 1)


def test_of_few_requests_the_latest_is_held_against_the_limit() -> None:
    few = replace(FAITHFUL, late_p99_ms=None, late_max_ms=6.0)
    assert trusted(few, 0.01) == ""
    assert "late: max 6.00 ms, allowed 5 ms" in trusted(few, 0.001)
    assert "late: max not known" in trusted(replace(few, late_max_ms=None), 0.01)


def test_a_lone_arrival_has_no_rate() -> None:
    lone = oracle.log_of([Row(3.0, 3.0, 3.1, ok=True)])
    found = measure(lone, 2.0, 1.0).generator
    assert (found.offered_per_s, found.achieved_per_s) == (None, None)


def test_what_a_log_does_not_tell_is_none_and_nobody_vouches_for_it() -> None:
    log = oracle.log_of([Row(i / 100, i / 100, i / 100 + 0.001, ok=True) for i in range(200)])
    found = audit(log, 0.0, 2.0, ENDED_ALONE)
    assert (found.sent, found.answered, found.achieved_per_s) == (200, 200, 100)
    assert found.scheduled is None
    assert found.dropped is None
    assert found.unanswered is None
    assert (found.late_p50_ms, found.late_p99_ms, found.late_max_ms, found.offered_per_s) == (None,) * 4
    assert untold(found) == "when requests were due, which were never sent and which were never answered"
    assert vouched_for(found, 0.01, 2.0) == f"its log does not tell {untold(found)}"
    assert vouched_for(FAITHFUL, 0.01, 2.0) == ""
    assert "dropped 1" in vouched_for(replace(FAITHFUL, dropped=1), 0.01, 2.0)
    partly = audit(log, 0.0, 2.0, LogTells(due=False, dropped=True, unanswered=True))
    assert (partly.dropped, partly.unanswered, untold(partly)) == (0, 0, "when requests were due")
