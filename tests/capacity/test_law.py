"""The law against systems that follow it, and against those that show too little of it."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.capacity.law import Point, fitted, throughput

AT_ONCE = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0])


def points(single: float, contention: float, coherency: float, noise: float = 0.0) -> list[Point]:
    random = np.random.default_rng(3)
    good = throughput(AT_ONCE, single, contention, coherency) * (1 + noise * random.standard_normal(7))
    return [Point(*pair) for pair in zip(AT_ONCE.tolist(), good.tolist(), strict=True)]


def test_what_made_the_points_is_found_again() -> None:
    law = fitted(points(100.0, 0.05, 0.001))
    assert law.none == ""
    assert (law.single_per_s, law.contention, law.coherency) == pytest.approx((100, 0.05, 0.001), rel=1e-3)
    most = (0.95 / 0.001) ** 0.5
    assert law.peak_per_s == pytest.approx(float(throughput(np.array([most]), 100, 0.05, 0.001)[0]), rel=1e-3)


def test_noise_widens_what_is_told_of_the_peak_and_the_peak_is_in_it() -> None:
    law = fitted(points(100.0, 0.05, 0.001, noise=0.02))
    true = fitted(points(100.0, 0.05, 0.001)).peak_per_s
    assert law.lower_per_s is not None
    assert law.upper_per_s is not None
    assert true is not None
    assert law.lower_per_s < true < law.upper_per_s
    assert law.upper_per_s - law.lower_per_s > 0.005 * true


def test_a_line_has_no_end_that_one_could_tell() -> None:
    assert "do not bend" in fitted(points(100.0, 0.0, 0.0, noise=0.01)).none


def test_few_trials_tell_no_law() -> None:
    assert fitted(points(100.0, 0.05, 0.001)[:4]).none == "4 trials are too few for a law; it needs 5"
    assert "too few" in fitted([]).none


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatrial.extras._is_installed", lambda _: False)
    assert "pip install 'seatrial[trends]'" in fitted(points(100.0, 0.05, 0.001)).none
