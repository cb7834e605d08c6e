"""Bounds of logs whose instants are cut, or told in part: whatever was truly there lies inside."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.measure import measure
from seatrial.measure.outages import downtime
from seatrial.measure.reach import apart_from, widest_gaps
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import Coded, Floats, RequestLog
from seatrial.model.result import Measurement

DEADLINE = 2.0


def log_of(sent: Floats, ended: Floats, ok: np.ndarray) -> RequestLog:
    nothing = Coded(np.zeros(len(sent), dtype=np.int32), ("",))
    status = np.where(ok, 200, 503).astype(np.int16)
    return RequestLog(sent, sent, ended, ok, status, nothing, nothing, nothing, nothing)


def worst(measured: Measurement) -> tuple[float, float, float, float]:
    """The largest of each bound: perceived lower and upper, server lower and upper."""
    bounds = [(*vars_of(each.perceived), *vars_of(each.server)) for each in measured.outages]
    return tuple(np.max(bounds, axis=0)) if bounds else (0.0, 0.0, 0.0, 0.0)


def vars_of(bounds: object) -> tuple[float, float]:
    return bounds.lower_s, bounds.upper_s  # type: ignore[attr-defined]  # Bounds


@st.composite
def truths(draw: st.DrawFn) -> tuple[RequestLog, np.random.Generator]:
    seed = draw(st.integers(0, 2**32))
    chance = np.random.default_rng(seed)
    count = draw(st.integers(4, 120))
    sent = np.sort(chance.uniform(0, draw(st.sampled_from([1.0, 8.0, 60.0])), count))
    ended = sent + chance.exponential(draw(st.sampled_from([0.001, 0.2])), count).clip(0, 1.9)
    down = chance.uniform(0, sent[-1], 2)
    ok = (chance.random(count) > draw(st.sampled_from([0.0, 0.1, 0.5]))) & ~(
        (sent > min(down)) & (sent < max(down))
    )
    return log_of(sent, ended, ok), chance


@settings(deadline=None, max_examples=80)
@given(truths(), st.sampled_from([0.001, 0.1, 1.0, 3.0]), st.sampled_from(["both", "begin", "end"]))
def test_what_was_truly_there_lies_inside(
    truth: tuple[RequestLog, np.random.Generator], resolution_s: float, told: str
) -> None:
    log, chance = truth
    sent, ended = (np.floor(at / resolution_s) * resolution_s for at in (log.sent, log.ended))
    exact = Exactness(
        sent_late_s=resolution_s,
        ended_late_s=resolution_s,
        took_s=resolution_s,
        begins=told != "end",
        ends=told != "begin",
    )
    if told == "begin":
        ended = sent
    elif told == "end":
        sent = ended
    order = chance.permutation(len(log))  # rows of the same instant may stand in any order
    seen = measure(log_of(sent, ended, log.ok)[order], DEADLINE + 10, 0.0, 0.0, 1e9, exact=exact)
    known = measure(log, DEADLINE + 10, 0.0, 0.0, 1e9)
    lower, upper, server_lower, server_upper = worst(seen)
    true_lower, true_upper, true_server_lower, true_server_upper = worst(known)
    slack = 1e-9
    assert lower <= true_lower + slack
    assert server_lower <= true_server_lower + slack
    assert upper >= true_upper - slack
    assert server_upper >= true_server_upper - slack
    assert seen.completion_gap.lower_s <= known.completion_gap.lower_s + slack
    assert seen.completion_gap.upper_s >= known.completion_gap.upper_s - slack


def test_ten_seconds_of_errors_in_a_log_of_whole_seconds() -> None:
    at = np.arange(0, 40, 0.1)
    ok = ~((at >= 10) & (at < 20))
    cut = np.floor(at)
    exact = Exactness(sent_late_s=1.0, ended_late_s=1.0)
    (outage,) = measure(log_of(cut, cut, ok), DEADLINE, 1.0, exact=exact).outages
    assert (outage.perceived.lower_s, outage.perceived.upper_s) == (8.0, 12.0)


def test_a_silence_at_the_end_that_may_not_have_been_is_not_counted() -> None:
    sent = np.array([0.0, 0.3, 0.62, 0.65])
    ended = np.array([0.1, 0.4, 1.0, 0.7])
    ok = np.array([True, True, False, True])  # truly the last one sent was answered: no silence
    log = log_of(np.floor(sent * 10) / 10, np.floor(ended * 10) / 10, ok)
    cut = Exactness(sent_late_s=0.1, ended_late_s=0.1, took_s=0.1)
    gap = measure(log, DEADLINE, 0.0, 0.0, 9.0, exact=cut).completion_gap
    assert gap.lower_s == pytest.approx(0.2)  # the true one is 0.3 s long, and 0.1 s of it is not sure
    assert gap.upper_s == np.inf


@pytest.mark.parametrize(("failed_at", "counted"), [(0.9, False), (1.2, True)])
def test_a_silence_at_the_end_counts_once_it_is_certain(failed_at: float, counted: bool) -> None:
    sent = np.array([0.0, 0.3, 0.8, failed_at])
    ended = sent + np.array([0.1, 0.1, 0.1, 5.0])
    exact = Exactness(sent_late_s=0.2, ended_late_s=0.2, took_s=0.2)
    log = log_of(sent, ended, np.array([True, True, True, False]))
    gap = measure(log, 10.0, 0.0, 0.0, 9.0, exact=exact).completion_gap
    assert (gap.lower_s > 1) is counted
    assert gap.upper_s == np.inf


@settings(deadline=None, max_examples=80)
@given(
    truths(),
    st.sampled_from([0.001, 0.1, 1.0, 3.0]),
    st.sampled_from([0.3, 1.0, 12.0]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_what_was_truly_there_in_a_window_lies_inside(
    truth: tuple[RequestLog, np.random.Generator],
    resolution_s: float,
    deadline_s: float,
    part: tuple[float, float],
) -> None:
    log, chance = truth
    sent, ended = (np.floor(at / resolution_s) * resolution_s for at in (log.sent, log.ended))
    exact = Exactness(sent_late_s=resolution_s, ended_late_s=resolution_s, took_s=resolution_s)
    cut = log_of(sent, ended, log.ok)[chance.permutation(len(log))]
    start_s, end_s = (share * (log.sent[-1] + 1) for share in sorted(part))
    seen = downtime(cut, start_s, end_s, deadline_s, 0.0, exact)
    known = downtime(log, start_s, end_s, deadline_s, 0.0)
    assert seen.lower_s <= known.lower_s + 1e-9 or not len(log.between(start_s, end_s))
    assert seen.upper_s >= known.upper_s - 1e-9
    gap = measure(cut, DEADLINE + 10, 0.0, start_s, end_s, exact=exact).completion_gap
    true_gap = measure(log, DEADLINE + 10, 0.0, start_s, end_s).completion_gap
    assert gap.lower_s <= true_gap.lower_s + 1e-9
    assert gap.upper_s >= true_gap.upper_s - 1e-9


def test_exact_instants_are_measured_as_they_are() -> None:
    at = np.arange(0, 4, 0.1)
    log = log_of(at, at + 0.01, ~((at > 1) & (at < 2)))
    assert measure(log, DEADLINE, 1.0, exact=EXACT) == measure(log, DEADLINE, 1.0)


def test_an_answer_that_may_have_been_too_late_is_bad_and_no_proof() -> None:
    at = np.arange(0.0, 5.0)
    log = log_of(at, at + np.array([0.1, 0.1, 2.0, 0.1, 0.1]), np.ones(5, dtype=np.bool_))
    measured = measure(log, DEADLINE, 0.0, exact=Exactness(took_s=0.01))
    assert (measured.bad, measured.unproven) == (1, 1)
    assert measured.outages[0].perceived.lower_s == 0.0


def test_without_lengths_there_is_no_latency() -> None:
    at = np.arange(0.0, 5.0)
    log = log_of(at, at, np.ones(5, dtype=np.bool_))
    assert measure(log, DEADLINE, 0.0, exact=Exactness(begins=False)).latency is None


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40),
    st.integers(0, 60),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_the_widest_gap_is_the_widest_of_those_in_reach(
    good: list[int], at: int, length: int, reach: int
) -> None:
    good_at = np.sort(np.array(good, dtype=np.float64))
    edges = [0.0, *good_at, np.inf]
    gaps = [b - a for a, b in pairwise(edges) if b > at - reach and a < at + length + reach]
    (found,) = widest_gaps(good_at, 0.0, np.array([at], float), np.array([at + length], float), float(reach))
    lengths = np.diff(good_at, prepend=0.0, append=np.inf)
    assert lengths[found] == max(gaps, default=lengths[found])


def test_bad_rows_near_a_good_one_are_no_proof() -> None:
    at = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    bad = np.array([False, True, True, True, True, False])
    assert apart_from(bad, at, 2.0).tolist() == [False, False, True, True, False, False]
    assert apart_from(np.ones(6, dtype=np.bool_), at, 9.0).all()


@pytest.mark.parametrize(
    ("begins", "ends", "early", "late"), [(True, True, 0, 0), (False, True, 2, 0), (True, False, 0, 2)]
)
def test_what_is_not_told_is_a_deadline_away(begins: bool, ends: bool, early: float, late: float) -> None:
    within = Exactness(begins=begins, ends=ends).within(DEADLINE)
    assert (within.sent_early_s, within.ended_late_s) == (early, late)
