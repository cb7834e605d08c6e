"""What is to come, of series whose pattern and line are known: neither gaps nor a few odd values move it."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.cost.expected import Season, expect, logarithms, medians, noise_of
from seatrial.cost.series import Floats

DAYS = Season(7, line=42)
HOURS = Season(168, line=42 * 24, together=24, jump=24, passes=(1, 3))


def of_nine(season: Season, more: int = 0) -> Floats:
    """Nine periods and `more` values of a pattern on a line, without noise."""
    at = np.arange(9 * season.period + more)
    return np.asarray(3 + 0.01 * at / season.period + 0.4 * np.sin(2 * np.pi * at / season.period))


@pytest.mark.parametrize("season", [DAYS, HOURS], ids=["days", "hours"])
@pytest.mark.parametrize("odd", ["nothing", "gaps", "spikes"])
def test_a_pattern_on_a_line_goes_on(season: Season, odd: str) -> None:
    truth = of_nine(season, season.period)
    before, after = np.split(truth.copy(), [9 * season.period])
    if odd == "gaps":
        before[3 * season.period : 3 * season.period + 5] = np.nan
    elif odd == "spikes":
        before[[-2, -season.period, 5 * season.period + 1]] += 2.0
    found = expect(before, season.period, season, 0.01)
    assert found.centre == pytest.approx(after, abs=0.02)
    assert found.noise < 0.02


def test_what_is_missing_stays_so_and_what_is_free_has_a_floor() -> None:
    logs = logarithms(np.array([100.0, np.nan, 0.0, -5.0, 100.0, 100.0]))
    assert np.isnan(logs[1])
    assert np.exp(logs[[0, 2, 3]]) == pytest.approx([100.0, 1.0, 1.0])


def test_a_median_takes_more_than_half_of_its_values() -> None:
    found = medians(np.array([1.0, 2.0, 9.0, np.nan, np.nan, 9.0, 4.0, np.nan, 3.0]), 3)
    assert np.array_equal(found, [2.0, np.nan, 3.5], equal_nan=True)
    assert np.array_equal(medians(np.array([7.0, np.nan]), 1), [7.0, np.nan], equal_nan=True)


def test_noise_is_a_normal_deviation_and_never_none() -> None:
    drawn = np.random.default_rng(1).normal(0, 0.3, 5_000)
    drawn[::20] = 50.0
    assert noise_of(drawn, 0.01) == pytest.approx(0.3, rel=0.1)
    assert noise_of(np.array([1.0, np.nan, 1.0]), 0.01) == 0.01
    assert noise_of(np.array([np.nan]), 0.01) == np.inf
