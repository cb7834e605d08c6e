"""What each tenant saw, by the requests in its name alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row

from seatrial.measure.measurement import measure
from seatrial.measure.outages import downtime
from seatrial.measure.tenants import MOST, by_tenant, tells_too_many, worst_tenants
from seatrial.model.requestlog import Coded, RequestLog


def log_of(rows: list[tuple[float, bool, str]]) -> RequestLog:
    rows = sorted(rows)
    log = oracle.log_of([Row(at, at, at + 0.01, ok=good, name="GET /") for at, good, _ in rows])
    return replace(log, tenant=Coded.of(tenant for *_, tenant in rows))


def test_an_outage_of_one_tenant_is_told_of_that_one_and_it_comes_first() -> None:
    acme = [(i * 0.1, True, "acme") for i in range(100)]
    globex = [(i * 0.1 + 0.05, not 40 <= i < 60, "globex") for i in range(100)]
    worst, other = by_tenant(log_of(acme + globex), 0.0, 10.0, 1.0, 0.5)
    assert (worst.tenant, worst.requests, worst.bad) == ("globex", 100, 20)
    assert worst.downtime.lower_s == pytest.approx(1.9)
    assert 1.9 < worst.downtime.upper_s < 2.2
    assert (worst.uptime[0].worst_window_s, worst.uptime[0].worst) == (1.0, 0.0)
    assert (other.tenant, other.bad, other.downtime.lower_s) == ("acme", 0, 0.0)
    assert 0.1 <= other.downtime.upper_s < 0.2  # the time between two of its own requests, and one latency


def test_a_request_in_nobodys_name_is_no_tenants_and_a_log_without_tenants_has_none() -> None:
    rows = [(0.0, True, "acme"), (0.5, False, ""), (1.0, True, "acme")]
    (acme,) = by_tenant(log_of(rows), 0.0, 2.0, 1.0, 0.5)
    assert (acme.requests, acme.bad) == (2, 0)
    assert by_tenant(replace(log_of(rows), tenant=None), 0.0, 2.0, 1.0, 0.5) == ()
    assert measure(replace(log_of(rows), tenant=None), 1.0, 0.5).tenants == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 40).map(lambda at: at / 4), st.booleans(), st.sampled_from("abc")),
        min_size=1,
        max_size=40,
    )
)
def test_each_tenants_figures_are_those_of_a_log_with_its_requests_alone(
    rows: list[tuple[float, bool, str]],
) -> None:
    found = {one.tenant: one for one in by_tenant(log_of(rows), 0.0, 12.0, 1.0, 0.5)}
    assert set(found) == {tenant for *_, tenant in rows}
    for tenant, one in found.items():
        alone = log_of([row for row in rows if row[2] == tenant])
        whole = downtime(alone, 0.0, 12.0, 1.0, 0.5)
        good_at = [at for at, good, whose in rows if whose == tenant and good]
        edges = (min(good_at) + 0.01, 12.0 - max(good_at)) if good_at else (math.inf,)
        assert one.downtime.lower_s == whole.lower_s
        assert one.downtime.upper_s == max(whole.upper_s, *edges)
        assert (one.requests, one.bad) == (len(alone), len(alone) - int(alone.good(1.0).sum()))
        measured = measure(alone, 1.0, 0.5, 0.0, 12.0)
        everybody = [each for each in measured.availability if not each.name]
        assert [replace(each, name="") for each in one.uptime] == everybody


def test_the_worst_is_judged_and_whose_each_bound_is_is_told() -> None:
    acme = [(i * 0.1, True, "acme") for i in range(100)]
    globex = [(i * 0.1 + 0.05, not 40 <= i < 60, "globex") for i in range(100)]
    quiet = [(i * 3.0, True, "initech") for i in range(4)]
    worst = worst_tenants(log_of(acme + globex + quiet), 0.0, 10.0, 1.0, 0.5)
    assert worst is not None
    assert (worst.lower_of, worst.upper_of) == ("globex", "initech")
    assert worst.downtime.lower_s == pytest.approx(1.9)
    assert worst.downtime.upper_s == pytest.approx(
        3.01
    )  # between two of initech's own requests, and one latency


@pytest.mark.parametrize(("asked_s", "upper_s"), [((0.0, 0.5, 1.0), 9.0), ((7.0, 7.5, 8.0, 9.5), 7.01)])
def test_when_a_tenant_was_not_asked_it_may_have_been_down(
    asked_s: tuple[float, ...], upper_s: float
) -> None:
    acme = [(i * 0.1, True, "acme") for i in range(100)]
    worst = worst_tenants(log_of(acme + [(at, True, "globex") for at in asked_s]), 0.0, 10.0, 1.0, 0.5)
    assert worst is not None
    assert worst.upper_of == "globex"
    assert worst.downtime.upper_s == pytest.approx(upper_s)


def test_of_a_tenant_for_whom_nothing_was_due_nothing_is_known() -> None:
    rows = [(i * 0.1, True, "acme") for i in range(100)] + [(1.0, True, "globex")]
    worst = worst_tenants(log_of(rows), 5.0, 10.0, 1.0, 0.5)
    assert worst is not None
    assert (worst.upper_of, worst.downtime.upper_s) == ("globex", math.inf)
    assert worst_tenants(replace(log_of(rows), tenant=None), 0.0, 10.0, 1.0, 0.5) is None


def test_more_tenants_than_anybody_has_are_none() -> None:
    log = log_of([(float(i), True, f"order-{i}") for i in range(MOST + 1)])
    assert tells_too_many(log)
    assert by_tenant(log, 0.0, 10.0, 1.0, 0.5) == ()
