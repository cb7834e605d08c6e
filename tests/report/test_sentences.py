import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from seatrial.model.errorbudget import THREE_NINES
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.result import Bounds, ErrorBudget, Failover, Phase
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, sentences

Make = Callable[[str], Dossier]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("pass", "Every objective was kept and every check held."),
        ("fail", "A promise was broken."),
        ("unknown", "This run cannot tell whether the promises were kept. That is not a pass."),
        ("empty", "The run was interrupted. It proves nothing, for or against."),
    ],
)
def test_headline(kind: str, says: str, make: Make) -> None:
    assert sentences.headline(make(kind).result) == says


def test_nothing_promised_is_said_so(make: Make) -> None:
    result = replace(make("none").result, objectives=(), checks=(), verdict=Verdict.UNKNOWN)
    assert sentences.headline(result) == "Nothing was promised, so nothing was judged."


def test_what_clients_saw(make: Make) -> None:
    measured = make("pass").result.measurement
    assert measured is not None
    assert sentences.what_clients_saw(measured).startswith("200 of 7,499 requests (2.67%) failed")
    assert sentences.what_clients_saw(measured).endswith("in 1 outage.")
    flapping = replace(measured, outages=(replace(measured.outages[0], runs=7),), degraded_s=15.0)
    assert "For 15.0 s in all the service was not steady" in sentences.what_clients_saw(flapping)
    assert "No request was due" in sentences.what_clients_saw(replace(measured, requests=0))


def test_the_generator_is_trusted_just_when_nobody_doubted_it(make: Make) -> None:
    measured = make("pass").result.measurement
    assert measured is not None
    assert "can be trusted" in sentences.generator(measured.generator, "")
    assert "cannot be trusted: late" in sentences.generator(measured.generator, "late")
    assert "nothing to send" in sentences.generator(replace(measured.generator, scheduled=0), "")


def test_a_load_is_told_in_arrivals_and_in_requests(make: Make) -> None:
    measured = make("pass").result.measurement
    assert measured is not None
    audit = replace(measured.generator, scheduled=50_000, offered_per_s=10_000 / 60)
    assert sentences.load(audit, None) == ""
    assert sentences.load(replace(audit, arrivals=10_000), None) == (
        "2,000 arrivals/min, 10,000 requests/min (5 an arrival)"
    )
    shared = replace(audit, arrivals=10_000, workers=2)
    assert sentences.load(shared, None).endswith("(5 an arrival), shared by 2 workers")
    account = LoadAccount(dns_select="first", dns_ttl_s=1.0)
    assert "all users share one warm pool" in sentences.clients(account, replace(shared, workers=1))
    assert "all users of a worker share one warm pool" in sentences.clients(account, shared)


def test_a_failover_is_told_phase_by_phase() -> None:
    detect, decide = Phase("detect", 10.0, 10.58, "db-1"), Phase("decide", 10.58, 10.61, "db-2")
    promote = Phase("promote", 10.61, 10.64, "db-2")
    early = Failover("crash", (detect, decide, promote, Phase("route", 10.64, 10.63, "proxy")))
    assert sentences.failover(early) == (
        "detect 580 ms · decide 30.0 ms · promote 30.0 ms · route over 10.00 ms earlier; in all 640 ms"
    )
    unknown = Failover("crash", (detect, decide, Phase("promote", 10.61, None), Phase("route", None, 11.0)))
    assert sentences.failover(unknown).endswith("decide 30.0 ms · promote unknown · route unknown")


@pytest.mark.parametrize(
    ("spent", "says"),
    [
        ((84.0, 85.2), "1.40 … 1.42 min of the 43.2 min of total outage that 99.9% of 30 days allows: 3.24 … 3.29%"),
        ((1.2, 1.24), "1.20 … 1.24 s of the 43.2 min of total outage that 99.9% of 30 days allows: 0.0462 … 0.0479%"),
        ((0.0, 0.012), "0 … 12.0 ms of the 43.2 min of total outage that 99.9% of 30 days allows: 0 … 0.0005%"),
        ((60.0, math.inf), "1.00 min or more of the 43.2 min of total outage that 99.9% of 30 days allows"),
    ],
)  # fmt: skip
def test_what_a_run_cost_is_told_in_minutes_of_its_budget(spent: tuple[float, float], says: str) -> None:
    allowed = THREE_NINES
    budget = ErrorBudget("", allowed.target, allowed.window_s, allowed.budget_s, Bounds(*spent))
    assert sentences.error_budget(budget) == says
    named = sentences.error_budget(replace(budget, slo="orders"))
    assert "of 30 days allows (orders)" in named
    assert sentences.error_budget(None) == ""
