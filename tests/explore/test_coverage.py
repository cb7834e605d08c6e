"""What was tried together is counted; what proved nothing is counted apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explore.conftest import SPACE, random_schedule

from seatrial.explore.coverage import Coverage, interval, parts_of, ways_of
from seatrial.explore.record import Outcome, Purpose, Trial
from seatrial.explore.schedule import Injection, scheduled
from seatrial.model.verdict import Verdict

A, B = "process.kill on alpha", "process.pause on beta"
BOTH = scheduled([Injection(0, A, 2), Injection(1, B, 2)])


def tried(schedule: tuple[Injection, ...], verdict: Verdict = Verdict.PASS) -> Trial:
    return Trial(schedule, Purpose.SEARCH, Outcome(verdict))


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.FAIL])
def test_what_was_judged_is_covered(verdict: Verdict) -> None:
    coverage = Coverage.of([tried(BOTH, verdict)])
    shares = coverage.share(SPACE)
    assert (coverage.faults[A], coverage.pairs[A, B]) == (1, 1)
    assert {name: tried for name, (tried, _) in shares.items()} == {"faults": 2, "pairs": 1, "orders": 1}


def test_what_proved_nothing_covers_nothing_and_is_no_news_either() -> None:
    coverage = Coverage.of([tried(BOTH, Verdict.UNKNOWN)])
    assert all(tried == 0 for tried, _ in coverage.share(SPACE).values())
    assert coverage.news(BOTH) < Coverage().news(BOTH)


def test_two_faults_on_one_thing_have_fewer_orders() -> None:
    pairs = len(SPACE.keys) * (len(SPACE.keys) - 1) // 2
    on_one_thing = 4
    assert Coverage().share(SPACE)["orders"] == (0, 5 * (pairs - on_one_thing) + 2 * on_one_thing)


@given(st.lists(st.integers(), max_size=20))
def test_nothing_is_covered_that_is_not_there_and_more_is_never_less(seeds: list[int]) -> None:
    coverage, before = Coverage(), dict.fromkeys(("faults", "pairs", "orders"), 0)
    for seed in seeds:
        schedule = random_schedule(random.Random(seed))
        news = coverage.news(schedule)
        coverage.add(tried(schedule))
        assert coverage.news(schedule) < news
        for name, (now, of) in coverage.share(SPACE).items():
            assert before[name] <= now <= of
            before[name] = now


def test_the_parts_of_three_faults() -> None:
    schedule = scheduled([*BOTH, Injection(9, "process.kill on gamma", 1)])
    faults, pairs, orders = parts_of(schedule)
    assert (len(faults), len(pairs), len(orders)) == (3, 3, 3)
    assert f"{A} and, before it is over, {B}" in orders


def test_what_lasts_long_has_tried_what_is_shorter_but_not_what_only_short_faults_do() -> None:
    long = scheduled([Injection(0, A, 8), Injection(4, B, 8)])
    short = scheduled([Injection(0, A, 2), Injection(1, B, 1)])
    left = set(ways_of(short)) - set(ways_of(long))
    assert left == {(A, "", "for just", 2), (B, "", "for just", 1)}
    assert (A, B, "overlapping", 4) in set(ways_of(long)) - set(ways_of(short))


@pytest.mark.parametrize(("gap", "how"), [(0, "close"), (2, "close"), (3, "far")])
def test_what_follows_on_the_heels_is_another_way_than_what_comes_later(gap: int, how: str) -> None:
    assert (A, B, how, 0) in ways_of(scheduled([Injection(0, A, 4), Injection(4 + gap, B, 1)]))


@pytest.mark.parametrize(
    ("failed", "of", "expected"),
    [(0, 0, (0.0, 1.0)), (4, 4, (0.5101, 1.0)), (0, 4, (0.0, 0.4899)), (5, 10, (0.2366, 0.7634))],
)  # as statsmodels.stats.proportion.proportion_confint(…, method="wilson") has them
def test_the_interval_of_a_probability(failed: int, of: int, expected: tuple[float, float]) -> None:
    assert interval(failed, of) == pytest.approx(expected, abs=1e-4)
