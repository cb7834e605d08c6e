"""The cost of an outage is its length, to within the spacing of two requests, and of a partial one its share."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.rows import log_of

from seatrial.measure import budget_spent, measure
from seatrial.model.errorbudget import THREE_NINES
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Bounds

SPACING_S, LENGTH_S, DEADLINE_S = 0.02, 20.0, 1.0


def log(bad: np.ndarray[tuple[int], np.dtype[np.bool_]], unsent: bool = False) -> RequestLog:
    return log_of(
        {
            "intended": number * SPACING_S,
            "sent": None if unsent and fails else number * SPACING_S,
            "ended": None if unsent and fails else number * SPACING_S + 0.001,
            "ok": not fails,
            "status": 503 if fails else 200,
            "name": "/",
            "served_by": "",
            "error": "",
            "worker": "0",
            "key": None,
        }
        for number, fails in enumerate(bad.tolist())
    )


def spent(rows: RequestLog) -> Bounds:
    found = budget_spent(rows, measure(rows, DEADLINE_S, 0.5, 0.0, LENGTH_S))
    assert found is not None
    return found


INSTANTS = np.arange(int(LENGTH_S / SPACING_S)) * SPACING_S


@given(st.floats(1, 8), st.floats(0.1, 8))
def test_a_whole_outage_costs_its_length(start_s: float, length_s: float) -> None:
    cost = spent(log((start_s <= INSTANTS) & (start_s + length_s > INSTANTS)))
    assert cost.lower_s - SPACING_S <= length_s <= cost.upper_s + 1e-9
    assert cost.upper_s - cost.lower_s <= 3 * SPACING_S


@given(st.integers(2, 10))
def test_a_partial_outage_costs_its_share(one_in: int) -> None:
    during = (INSTANTS >= 2) & (INSTANTS < 12)
    cost = spent(log(during & (np.arange(len(INSTANTS)) % one_in == 0)))
    assert cost.lower_s <= 10 / one_in + SPACING_S
    assert cost.lower_s == pytest.approx(10 / one_in, abs=SPACING_S)
    assert cost.upper_s >= cost.lower_s


def test_what_the_generator_failed_at_is_no_proven_cost_and_a_short_outage_may_go_unseen() -> None:
    unproven = spent(log((INSTANTS >= 2) & (INSTANTS < 4), unsent=True))
    assert unproven.lower_s == 0
    assert unproven.upper_s >= 2
    nothing = spent(log(np.zeros(len(INSTANTS), dtype=np.bool_)))
    assert nothing.lower_s == 0
    assert 0 < nothing.upper_s <= 2 * SPACING_S


def test_of_an_outage_without_an_end_there_is_no_upper_bound_and_of_nothing_sent_no_cost() -> None:
    cost = spent(log(INSTANTS >= 10))
    assert cost.lower_s == pytest.approx(10, abs=SPACING_S)
    assert math.isinf(cost.upper_s)
    unsent = log(np.ones(len(INSTANTS), dtype=np.bool_), unsent=True)
    assert budget_spent(unsent, measure(unsent, DEADLINE_S, 0.5, 0.0, LENGTH_S)) is None


def test_three_nines_leave_three_quarters_of_an_hour_a_month() -> None:
    assert THREE_NINES.budget_s / 60 == pytest.approx(43.2)
