"""The record that holds it all."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure import measure
from seatrial.measure.spacing import arrival_intervals, end_of
from seatrial.model.requestlog import Coded


def test_reasons_are_the_scenarios_own_words_or_what_became_of_the_request() -> None:
    rows = [
        Row(0.0, 0.0, 0.1, ok=True),
        Row(0.1, 0.1, 0.2, ok=False, error="HTTP 503"),
        Row(0.2, 0.2, 0.3, ok=False, error="HTTP 503"),
        Row(0.3, 0.3, None, ok=False),
        Row(0.4, None, None, ok=False),
        Row(0.5, 0.5, 9.9, ok=True),
        Row(0.6, 0.6, 0.7, ok=False),
    ]
    measurement = measure(oracle.log_of(rows), 1.0, 1.0)
    assert measurement.errors == (
        ("HTTP 503", 2), ("never answered", 1), ("never sent", 1), ("not ok", 1), ("too late", 1)
    )  # fmt: skip


def test_who_answered_is_counted() -> None:
    log = oracle.log_of([Row(i / 10, i / 10, i / 10, ok=True) for i in range(4)])
    log = type(log)(
        log.intended, log.sent, log.ended, log.ok, log.status, log.name,
        Coded.of(["blue", "blue", "green", "blue"]), log.error, log.worker,
    )  # fmt: skip
    assert measure(log, 1.0, 1.0).served_by == (("blue", 3), ("green", 1))


def test_the_equivalent_outage_follows_the_rate_at_each_bad_arrival() -> None:
    slow = [Row(i / 10, i / 10, i / 10, ok=True) for i in range(300)]
    fast = [Row(30 + i / 1000, 30 + i / 1000, 30 + i / 1000, ok=not 500 <= i < 1500) for i in range(3000)]
    measurement = measure(oracle.log_of(slow + fast), 1.0, 1.0)
    assert measurement.equivalent_outage_s == pytest.approx(1.0, rel=1e-6)
    assert measurement.outages[0].equivalent_s == pytest.approx(1.0, rel=1e-6)


def test_the_offered_rate_covers_the_time_up_to_the_next_arrival() -> None:
    log = oracle.log_of([Row(i / 10, i / 10, i / 10, ok=True) for i in range(100)])
    measurement = measure(log, 1.0, 1.0)
    assert measurement.end_s == pytest.approx(10.0)
    assert measurement.generator.offered_per_s == pytest.approx(10.0)


def test_a_lone_arrival_offers_no_rate_but_lies_within_its_log() -> None:
    lone = np.array([3.0])
    assert arrival_intervals(lone, np.array([0])).tolist() == [0.0]
    assert end_of(lone) > 3.0
    assert end_of(np.empty(0)) == 0.0


def test_a_window_leaves_out_what_was_due_outside() -> None:
    log = oracle.log_of([Row(i / 10, i / 10, i / 10, ok=i != 5) for i in range(100)])
    measurement = measure(log, 1.0, 1.0, start_s=2.0, end_s=4.0)
    assert (measurement.requests, measurement.bad, measurement.outages) == (20, 0, ())
