"""Windowed user-uptime, by hand and against a fine grid of windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure.availability import EVERYBODY, availability
from seatrial.model.result import Availability


def of(rows: list[Row], windows_s: tuple[float, ...], end_s: float) -> dict[tuple[str, float], Availability]:
    log = oracle.log_of(rows)
    found = availability(log, log.good(1.0), end_s, windows_s)
    return {(record.name, record.worst_window_s): record for record in found}


def row(at_s: float, good: bool, name: str = "a") -> Row:
    return Row(at_s, at_s, at_s, ok=good, name=name)


def test_a_user_is_down_from_a_bad_request_until_the_next_good_one() -> None:
    rows = [row(0, True), row(4, False), row(5, False), row(6, True)]
    found = of(rows, (2.0,), 10.0)["a", 2.0]
    assert found.good == pytest.approx(0.8)
    assert found.worst == 0
    assert found.worst_start_s == 4


def test_a_busy_user_weighs_no_more_than_a_quiet_one() -> None:
    rows = [row(i / 10, False, "busy") for i in range(100)] + [row(0.0, True, "quiet")]
    rows.sort(key=lambda one: one.intended)
    assert of(rows, (1.0,), 10.0)[EVERYBODY, 1.0].good == pytest.approx(0.5)


def test_a_window_longer_than_the_log_is_replaced_by_the_whole_of_it() -> None:
    found = of([row(0, True), row(1, False), row(2, True)], (60.0,), 4.0)
    assert set(found) == {(EVERYBODY, 4.0), ("a", 4.0)}
    assert found["a", 4.0].worst == found["a", 4.0].good == pytest.approx(0.75)


def test_before_a_users_first_request_nothing_is_known_of_them() -> None:
    rows = [row(0, True, "a"), row(5, False, "b")]
    found = of(rows, (10.0,), 10.0)
    assert found["b", 5.0].good == 0
    assert found[EVERYBODY, 10.0].good == pytest.approx(1 - 5 / 15)


def test_an_empty_log_has_no_availability() -> None:
    assert of([], (1.0,), 0.0) == {}


requests = st.lists(
    st.tuples(st.integers(0, 40), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=25
)


@given(requests, st.integers(1, 20))
def test_no_window_on_a_fine_grid_is_worse_than_the_worst(
    built: list[tuple[int, bool, str]], length: int
) -> None:
    rows = [row(at / 4, good, name) for at, good, name in sorted(built, key=lambda one: one[0])]
    end_s = rows[-1].intended + 1
    length_s = length / 4
    found = of(rows, (length_s,), end_s)
    for name in {EVERYBODY, *(one.name for one in rows)}:
        mine = [one for one in rows if name in (EVERYBODY, one.name)]
        span = end_s - mine[0].intended
        record = found[name, min(length_s, span)]
        shares = [
            uptime(mine, start, min(start + length_s, end_s), end_s)
            for start in np.arange(mine[0].intended, max(end_s - length_s, mine[0].intended) + 1e-9, 1 / 8)
        ]
        assert record.worst == pytest.approx(min(shares), abs=1e-9)
        assert record.good == pytest.approx(uptime(mine, mine[0].intended, end_s, end_s))


def uptime(rows: list[Row], start_s: float, stop_s: float, end_s: float) -> float:
    """Share of the time that the users of `rows` were up, walking from one request to the next."""
    up = seen = 0.0
    for name in {one.name for one in rows}:
        mine = [one for one in rows if one.name == name]
        ends = [*(one.intended for one in mine[1:]), end_s]
        for one, until in zip(mine, ends, strict=True):
            length = max(0.0, min(until, stop_s) - max(one.intended, start_s))
            seen += length
            up += length if one.ok else 0.0
    return up / seen if seen else 1.0
