"""Locust's statistics say the same of answers that were merged as of answers that were told one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from hypothesis import given
from hypothesis import strategies as st
from locust import stats as locusts
from locust.env import Environment
from locust.stats import StatsEntry

from seatrial.load import locust_statistics
from seatrial.load.locust_statistics import LocustStatistics

ANSWERS = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/", "/cart"]),
    st.floats(0.01, 20_000.0),
    st.integers(0, 10_000),
)
SAME = (
    "num_requests", "num_none_requests", "num_failures", "min_response_time", "max_response_time",
    "response_times", "num_reqs_per_sec", "num_fail_per_sec", "total_content_length",
    "last_request_timestamp",
)  # fmt: skip


def an_environment() -> Any:
    environment = Environment()
    environment.create_local_runner()
    return environment


def figures(entry: StatsEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in SAME} | {
        "total_response_time": pytest.approx(entry.total_response_time),
        "percentiles": [entry.get_response_time_percentile(part) for part in (0.5, 0.95, 1.0)],
    }


@given(st.lists(st.tuples(ANSWERS, st.floats(0, 2), st.booleans()), max_size=40))
def test_merged_is_what_one_by_one_would_be(steps: list[tuple[Any, float, bool]]) -> None:
    """Whatever was answered in how long, when, and merged in which batches."""
    one, other = Environment(), Environment()
    statistics = LocustStatistics(one)
    now = [1_700_000_000.5]
    with pytest.MonkeyPatch.context() as patch:
        for module in (locust_statistics, locusts):
            patch.setattr(module, "time", SimpleNamespace(time=lambda: now[0]))
        for (method, name, took_ms, size), passed_s, merge in steps:
            now[0] += passed_s
            statistics.add(method, name, took_ms, size)
            other.stats.log_request(method, name, took_ms, size)
            if merge:
                statistics.merge()
        statistics.merge()
        assert figures(one.stats.total) == figures(other.stats.total)
        assert one.stats.entries.keys() == other.stats.entries.keys()
        for key, entry in one.stats.entries.items():
            assert figures(entry) == figures(other.stats.entries[key])


def test_who_listens_hears_of_each() -> None:
    """From the moment he does to the moment he stops."""
    environment = an_environment()
    statistics = LocustStatistics(environment)

    def listener(**_: Any) -> None:
        pass

    assert statistics.count_alone()
    environment.events.request.add_listener(listener)
    assert not statistics.count_alone()
    environment.events.request.remove_listener(listener)
    assert statistics.count_alone()


def test_nobody_counts_where_locust_does_not() -> None:
    """Without a runner of Locust's, what is told is not for its statistics."""
    assert not LocustStatistics(Environment()).count_alone()


def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """To merge it must not hold up the load, however long nobody does."""
    monkeypatch.setattr(locust_statistics, "_MOST", 3)
    environment = an_environment()
    statistics = LocustStatistics(environment)
    for _ in range(4):
        statistics.add("GET", "/", 1.0, 10)
    assert environment.stats.total.num_requests == 3


def test_seconds_that_locust_asks_for_no_more_are_forgotten() -> None:
    now = [1_700_000_000.5]
    with pytest.MonkeyPatch.context() as patch:
        for module in (locust_statistics, locusts):
            patch.setattr(module, "time", SimpleNamespace(time=lambda: now[0]))
        one, other = Environment(), Environment()
        statistics = LocustStatistics(one)
        for second in range(500):
            now[0] += 1
            statistics.add("GET", "/", 5.0, 10)
            other.stats.log_request("GET", "/", 5, 10)
            if second % 7 == 0:
                for each in (one, other):
                    each.stats.log_error("GET", "/", "no")
            statistics.merge()
        for entry, kept in zip(
            (one.stats.total, one.stats.entries["/", "GET"]),
            (other.stats.total, other.stats.entries["/", "GET"]),
            strict=True,
        ):
            assert len(entry.num_reqs_per_sec) <= 3 * 60 < len(kept.num_reqs_per_sec)
            assert len(entry.num_fail_per_sec) < len(kept.num_fail_per_sec)
            assert entry.current_rps == kept.current_rps > 0
            assert entry.current_fail_per_sec == kept.current_fail_per_sec
            assert entry.num_requests == kept.num_requests
