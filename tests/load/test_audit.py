from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.audit import AuditTally, describe

LATENESS = st.lists(st.floats(0, 100), min_size=1, max_size=300)


@given(LATENESS, st.integers(1, 50))
def test_percentiles_are_within_one_per_cent(lateness_s: list[float], chunk: int) -> None:
    tally = AuditTally()
    for start in range(0, len(lateness_s), chunk):
        late = np.array(lateness_s[start : start + chunk])
        intended = np.arange(start, start + late.size, dtype=np.float64)
        tally.add(intended, intended + late, intended + late)
    audit = tally.total()
    for percent, found in ((50, audit.late_p50_ms), (99, audit.late_p99_ms)):
        assert (found is None) == (len(lateness_s) * (100 - percent) < 100)
        if found is None:
            continue
        true = np.percentile(lateness_s, percent, method="inverted_cdf") * 1e3
        assert true - 1e-9 <= found <= true * 1.0101 + 1.1e-3  # the finest bucket is a microsecond
    assert audit.late_max_ms == pytest.approx(max(lateness_s) * 1e3)


def test_what_counts_as_what() -> None:
    nan = np.nan
    intended = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    sent = np.array([-1.0, 0.0, 1.0, nan, 3.0])
    ended = np.array([-1.0, 0.1, nan, nan, 3.1])
    tally = AuditTally()
    tally.add(intended, sent, ended)
    audit = tally.total()
    assert (audit.scheduled, audit.sent, audit.answered) == (4, 3, 2)  # warm-up is left out
    assert (audit.dropped, audit.unanswered) == (1, 1)
    assert audit.offered_per_s == pytest.approx(1.0)
    assert audit.achieved_per_s == pytest.approx(0.75)


def test_arrivals_and_their_requests_are_told_apart() -> None:
    tally = AuditTally()
    due = np.repeat(np.arange(10.0), 5)
    tally.add(due, due, due)
    audit = replace(tally.total(), arrivals=10)
    assert audit.requests_per_arrival == 5
    assert audit.arrivals_per_s == pytest.approx((audit.offered_per_s or 0) / 5)
    assert describe(audit).splitlines()[1].split() == [
        "arrivals",
        "10",
        "due,",
        "5",
        "requests",
        "of",
        "each",
    ]


def test_nothing_is_an_account_too() -> None:
    audit = AuditTally().total()
    assert (audit.scheduled, audit.offered_per_s, audit.late_p50_ms, audit.late_max_ms) == (
        0,
        None,
        None,
        None,
    )
    lines = describe(audit).splitlines()
    assert len(lines) == 8
    assert lines[1].split() == ["arrivals", "–", "due"]
    assert lines[2].split() == ["scheduled", "0", "–", "offered"]
    assert lines[-1].split() == ["lateness", "–", "median;", "p99", "–,", "max", "–"]
