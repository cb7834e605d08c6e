from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.model.requestlog import Coded, RequestLog
from seatrial.report.overview import bucket_width, by_name, drawn, overview

MakeLog = Callable[..., RequestLog]


def test_every_request_is_in_one_bucket(make_log: MakeLog, plant: Callable[..., object]) -> None:
    log = make_log((plant(20.0, 1.2), plant(30.0, 0.5, "blackhole", 0.5)))
    buckets = overview(log, 2.0)
    assert buckets.good.sum() + buckets.bad.sum() == len(log)
    assert buckets.bad.sum() == np.count_nonzero(~log.good(2.0))
    assert buckets.sent.sum() == len(log)
    assert sum(counts.sum() for _, counts in buckets.served_by) == len(log)
    assert [name for name, _ in buckets.served_by] == ["blue/east", "green/east", "no answer"]


def test_percentiles_of_a_bucket_are_those_of_its_requests(make_log: MakeLog) -> None:
    log = make_log(())
    buckets = overview(log, 2.0)
    for bucket in (0, 17, len(buckets) - 1):
        start = buckets.start_s + bucket * buckets.width_s
        within = log.between(start - 1e-9, start + buckets.width_s - 1e-9)
        latency = (within.ended - within.intended) * 1000
        assert buckets.p50_ms[bucket] == pytest.approx(np.percentile(latency, 50, method="inverted_cdf"))
        assert buckets.p95_ms[bucket] == pytest.approx(np.percentile(latency, 95, method="inverted_cdf"))
        assert buckets.max_ms[bucket] == pytest.approx(latency.max())


def test_a_stall_does_not_look_fast(make_log: MakeLog, plant: Callable[..., object]) -> None:
    buckets = overview(make_log((plant(20.0, 3.0, "blackhole"),)), 2.0)
    stalled = round((21.0 - buckets.start_s) / buckets.width_s)
    assert buckets.p50_ms[stalled] == 2000.0


def test_a_bucket_of_quick_failures_has_no_latency(make_log: MakeLog, plant: Callable[..., object]) -> None:
    buckets = overview(make_log((plant(20.0, 3.0, "refused"),)), 2.0)
    failing = round((21.0 - buckets.start_s) / buckets.width_s)
    assert np.isnan(buckets.p50_ms[failing])
    assert buckets.good[failing] == 0


@given(st.floats(min_value=0.01, max_value=1e5), st.integers(min_value=1, max_value=10**7))
def test_there_are_neither_too_many_nor_too_few_buckets(span_s: float, arrivals: int) -> None:
    width = bucket_width(span_s, arrivals)
    assert span_s / width <= 1201
    assert width <= max(0.1, span_s / 120 * 2, 5 * span_s / arrivals * 2) * (1 + 1e-9)


def test_names_most_frequent_first(make_log: MakeLog, plant: Callable[..., object]) -> None:
    log = make_log((plant(20.0, 1.2),))
    rows = by_name(log, 2.0)
    assert sum(row.requests for row in rows) == len(log)
    assert sum(row.bad for row in rows) == np.count_nonzero(~log.good(2.0))
    assert [row.requests for row in rows] == sorted((row.requests for row in rows), reverse=True)
    assert all(0 < row.good_share < 1 for row in rows)


def test_a_name_that_only_fails_has_no_latency() -> None:
    nan, one = np.array([np.nan]), Coded(np.zeros(1, dtype=np.int32), ("x",))
    log = RequestLog(np.zeros(1), nan, nan, np.zeros(1, bool), np.zeros(1, np.int16), one, one, one, one)
    (row,) = by_name(log, 2.0)
    assert (row.bad, row.latency) == (1, None)
    buckets = overview(log, 2.0)
    assert (buckets.bad.tolist(), buckets.unsent.tolist()) == (
        [0],
        [1],
    )  # never sent is no failure of the service
    assert drawn(log, 2.0) == {"answered": False, "served": True, "latency": False}


def anonymous(log: RequestLog, *named: int) -> RequestLog:
    """The same answers from a service without our headers, but for some rows."""
    codes = np.zeros(len(log), dtype=np.int32)
    codes[list(named)] = 1
    return replace(log, served_by=Coded(codes, ("", "blue")))


def test_a_service_that_never_says_who_answers_has_no_bands(make_log: MakeLog) -> None:
    log = anonymous(make_log(()))
    assert overview(log, 2.0).served_by == ()
    assert drawn(log, 2.0) == {"answered": True, "served": False, "latency": True}


def test_an_answer_without_a_name_is_not_the_same_as_no_answer(
    make_log: MakeLog, plant: Callable[..., object]
) -> None:
    log = make_log((plant(20.0, 1.0, "blackhole"), plant(30.0, 1.0, "5xx")))
    bands = dict(overview(anonymous(log, 0), 2.0).served_by)
    assert list(bands) == ["blue", "did not say who", "no answer"]
    assert bands["no answer"].sum() == np.count_nonzero(np.isnan(log.ended))
    assert sum(counts.sum() for counts in bands.values()) == len(log)


def test_a_percentile_of_a_bucket_needs_answers_enough(make_log: MakeLog) -> None:
    buckets = overview(make_log((), 2.0), 2.0)  # two requests a second
    assert np.isnan(buckets.p95_ms).all()
    assert not np.isnan(buckets.max_ms).all()


def test_the_servers_beyond_the_busiest_are_added_up() -> None:
    count = 1000
    texts = [f"server-{i % 20}" for i in range(count)]
    zeros, same = np.arange(count) / 100, Coded(np.zeros(count, dtype=np.int32), ("x",))
    log = RequestLog(
        zeros,
        zeros,
        zeros,
        np.ones(count, bool),
        np.zeros(count, np.int16),
        same,
        Coded.of(texts),
        same,
        same,
    )
    bands = overview(log, 2.0).served_by
    assert len(bands) == 9
    assert bands[-1][0] == "others"
    assert sum(counts.sum() for _, counts in bands) == count
