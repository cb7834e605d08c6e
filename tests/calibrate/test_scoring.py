"""Scoring against simulated services, where nothing is noisy, and against bounds that are wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.simulation import Behaviour, Planted

from seatrial.calibrate.plan import Kind
from seatrial.calibrate.scoring import Scorer, scores
from seatrial.calibrate.truth import Truth
from seatrial.measure import measure
from seatrial.measure.completions import Completions
from seatrial.model.result import Bounds

INTERVAL, DEADLINE, ZERO = 0.006, 0.4, 1000.0
KINDS: dict[Behaviour, Kind] = {"refuse": "refuse", "hang": "blackhole", "stall": "stall", "errors": "5xx"}


def simulated(behaviour: Behaviour, length_s: float, seed: int) -> tuple[Scorer, Truth]:
    planted = Planted(3.0, 3.0 + length_s, behaviour, INTERVAL, 0.0005, DEADLINE, 8.0, seed=seed)
    log = oracle.log_of(planted.rows())
    scorer = Scorer(
        outages=measure(log, DEADLINE, 1.0).outages,
        completions=Completions.of(log),
        zero_s=ZERO,
        interval_s=INTERVAL,
        deadline_s=DEADLINE,
        margin_s=0.5,
    )
    return scorer, Truth(KINDS[behaviour], ZERO + 3.0, ZERO + 3.0 + length_s, length_s, 0.0, None)


behaviours: st.SearchStrategy[Behaviour] = st.sampled_from(["refuse", "hang", "stall", "errors"])


@given(behaviours, st.floats(0.02, 2.0), st.integers(0, 1000))
def test_a_simulated_outage_is_covered_and_narrow(behaviour: Behaviour, length_s: float, seed: int) -> None:
    scorer, truth = simulated(behaviour, length_s, seed)
    trial = scorer.trial(truth)
    assert trial.covered
    assert trial.excess_s <= 3 * INTERVAL
    assert abs(trial.point_s - length_s) <= 2 * INTERVAL
    assert scorer.unexplained([truth]) == 0


def test_a_truth_outside_of_the_bounds_is_not_covered() -> None:
    scorer, truth = simulated("refuse", 0.5, 1)
    assert not scorer.trial(replace(truth, length_s=0.4)).covered
    assert not scorer.trial(replace(truth, length_s=0.6)).covered


def test_a_bad_arrival_that_was_missed_or_made_up_spoils_a_trial() -> None:
    scorer, truth = simulated("errors", 0.5, 1)
    bad = scorer.trial(truth).bad
    assert scorer.trial(replace(truth, failed=bad)).covered
    assert not scorer.trial(replace(truth, failed=bad + 1)).covered


def test_an_outage_that_nobody_planted_is_unexplained() -> None:
    scorer, truth = simulated("refuse", 0.5, 1)
    assert scorer.unexplained([]) == 1
    assert scorer.unexplained([replace(truth, began_s=ZERO + 6, ended_s=ZERO + 7)]) == 1


def test_without_a_reported_outage_the_bounds_are_what_completions_leave() -> None:
    scorer, truth = simulated("stall", 0.2, 1)
    assert not scorer.outages
    trial = scorer.trial(truth)
    assert trial.lower_s == 0
    assert 0.2 <= trial.upper_s <= 0.2 + 2 * INTERVAL
    assert trial.deadline_effect_s == 0.2


def test_scores_are_by_kind_in_intervals_and_milliseconds() -> None:
    scorer, truth = simulated("refuse", 0.5, 1)
    trial = scorer.trial(truth)
    wrong = replace(trial, lower_s=0.0, upper_s=0.1, point_s=0.1)
    (score,) = scores([trial, wrong], INTERVAL)
    assert (score.kind, score.planted, score.covered, score.narrow) == ("refuse", 2, 1, 1)
    assert score.excess_max_intervals == pytest.approx(0.1 / INTERVAL)
    assert score.error_least_ms is not None
    assert score.error_least_ms < -300


def test_few_outages_carry_no_outer_percentile_of_their_error() -> None:
    scorer, truth = simulated("refuse", 0.5, 1)
    trial = scorer.trial(truth)
    (few,) = scores([trial] * 19, INTERVAL)
    assert (few.error_p05_ms, few.error_p95_ms) == (None, None)
    assert few.error_least_ms == few.error_p50_ms == few.error_most_ms
    assert "–" not in few.row()[-1]
    (enough,) = scores([replace(trial, point_s=trial.point_s + i) for i in range(20)], INTERVAL)
    assert enough.error_p05_ms is not None
    assert enough.error_p95_ms is not None
    assert enough.error_p95_ms - enough.error_p05_ms == pytest.approx(17_000)


def test_bounds_are_those_of_the_outage_that_was_found() -> None:
    scorer, truth = simulated("refuse", 0.5, 1)
    (outage,) = scorer.outages
    shifted = replace(scorer, outages=[replace(outage, server=Bounds(0.1, 0.9))])
    trial = shifted.trial(truth)
    assert (trial.lower_s, trial.upper_s) == (0.1, 0.9)
