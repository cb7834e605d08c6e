"""Silences of a log that lacks failures: told when they are too long for chance, and bounded."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measure.test_reach import log_of

from seatrial.measure import measure
from seatrial.measure.generator import ANSWERED_ALONE, ENDED_ALONE
from seatrial.model.exactness import Exactness
from seatrial.model.result import Measurement, Silence


def measured(at: np.ndarray, ok: np.ndarray | None = None, cut_s: float = 0.0) -> Measurement:
    seen = np.floor(at / cut_s) * cut_s if cut_s else at
    well = np.ones(len(at), dtype=np.bool_) if ok is None else ok
    exact = Exactness(sent_late_s=cut_s, ended_late_s=cut_s)
    return measure(log_of(seen, seen + 0.01, well), 2.0, 1.0, tells=ANSWERED_ALONE, exact=exact)


def without(start_s: float, end_s: float, rate: float = 50.0) -> np.ndarray:
    at = np.cumsum(np.random.default_rng(7).exponential(1 / rate, int(60 * rate)))
    return at[(at < start_s) | (at > end_s)]


@pytest.mark.parametrize("cut_s", [0.0, 0.001, 1.0])
def test_a_planted_silence_is_told_and_bounded(cut_s: float) -> None:
    (found,) = measured(without(20, 24), cut_s=cut_s).silences
    assert found.upper_s >= 4.0
    assert found.upper_s <= 4.0 + 2 * cut_s + 0.2
    assert abs(found.start_s - 20) <= cut_s + 0.1


def test_the_rate_of_the_night_is_no_outage_of_the_day() -> None:
    chance = np.random.default_rng(3)
    day, night = np.cumsum(chance.exponential(0.01, 3000)), np.cumsum(chance.exponential(1.0, 300))
    assert measured(np.concatenate((day, day[-1] + night))).silences == ()


def test_chance_alone_is_seldom_taken_for_a_silence() -> None:
    """One log in a hundred; of these fifty that makes three or more with a probability of 1.4 %, fixed by the seed."""
    chance = np.random.default_rng(11)
    logs = (np.cumsum(chance.exponential(0.02, 500)) for _ in range(50))
    assert sum(bool(measured(at).silences) for at in logs) <= 2


def test_a_gap_with_a_bad_request_inside_is_an_outage_and_no_silence() -> None:
    at = np.sort(np.append(without(20, 24), 22.0))
    found = measured(at, at != 22.0)
    assert found.silences == ()
    assert found.outages[0].perceived.upper_s >= 4.0


def test_a_log_that_has_every_failure_has_no_silence() -> None:
    at = without(20, 24)
    log = log_of(at, at + 0.01, np.ones(len(at), dtype=np.bool_))
    assert measure(log, 2.0, 1.0, tells=ENDED_ALONE).silences == ()


def test_a_silence_outside_the_window_is_not_told() -> None:
    at = without(20, 24)
    log = log_of(at, at + 0.01, np.ones(len(at), dtype=np.bool_))
    assert measure(log, 2.0, 1.0, 30.0, 50.0, tells=ANSWERED_ALONE).silences == ()
    assert isinstance(measure(log, 2.0, 1.0, 10.0, 50.0, tells=ANSWERED_ALONE).silences[0], Silence)


def test_a_few_requests_make_no_rate() -> None:
    assert measured(np.array([0.0, 1.0, 2.0, 100.0])).silences == ()
