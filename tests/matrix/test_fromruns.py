"""What a run says of one piece of evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.results import result

from seatrial.matrix.finding import Figure
from seatrial.matrix.fromruns import RunFound, from_run
from seatrial.model.readiness import Evidence, Limit
from seatrial.model.result import CheckResult, RunResult
from seatrial.model.verdict import Verdict

WHOLE = Evidence(experiment="x.yaml")
DOWNTIME = Evidence(experiment="x.yaml", objective="downtime after crash")
PASSED = result(Verdict.PASS)
FAILED = result(Verdict.FAIL)
DOUBTED = replace(PASSED, verdict=Verdict.UNKNOWN, reasons=("the generator was late",))


def verdict_of(spec: Evidence, run: RunResult, **state: str) -> tuple[Verdict, str]:
    found = from_run(spec, replace(RunFound(run), **state), "what")  # type: ignore[arg-type]
    return found.verdict, found.reason


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [("5s", Verdict.PASS), ("1400ms", Verdict.PASS), ("1.2s", Verdict.UNKNOWN), ("1s", Verdict.FAIL)],
)
def test_a_limit_of_the_row_is_judged_on_the_interval(limit: str, verdict: Verdict) -> None:
    """What was measured is 1.1 … 1.4 s."""
    spec = DOWNTIME.model_copy(update={"max": Limit.parse(limit)})
    assert verdict_of(spec, PASSED)[0] is verdict


def test_what_the_experiment_allows_counts_as_well() -> None:
    spec = DOWNTIME.model_copy(update={"max": Limit.parse("60s")})
    assert verdict_of(spec, FAILED)[0] is Verdict.FAIL


def test_a_limit_of_something_else_is_unknown() -> None:
    verdict, reason = verdict_of(DOWNTIME.model_copy(update={"max": Limit.parse("1%")}), PASSED)
    assert verdict is Verdict.UNKNOWN
    assert "'1%' is no limit of downtime after crash" in reason


def test_an_objective_that_the_run_does_not_have_is_unknown_and_the_others_are_told() -> None:
    spec = Evidence(experiment="x.yaml", objective="downtime after rollback")
    verdict, reason = verdict_of(spec, PASSED)
    assert verdict is Verdict.UNKNOWN
    assert "downtime after crash" in reason


def test_no_pass_comes_out_of_a_run_that_is_none() -> None:
    assert verdict_of(WHOLE, DOUBTED) == (Verdict.UNKNOWN, "the generator was late")
    assert verdict_of(DOWNTIME, DOUBTED)[0] is Verdict.UNKNOWN
    failed_otherwise = replace(PASSED, verdict=Verdict.FAIL, reasons=("latency p95: 1.2 s > 900 ms",))
    verdict, reason = verdict_of(DOWNTIME, failed_otherwise)
    assert verdict is Verdict.UNKNOWN  # not this row's fail, and no pass
    assert "latency p95" in reason


def test_a_check_and_its_figures() -> None:
    lag = CheckResult("lag", Verdict.PASS, "0.4 s behind", {"lag_s": 0.4})
    run = replace(PASSED, checks=(lag,))
    assert verdict_of(Evidence(experiment="x.yaml", check="lag"), run)[0] is Verdict.PASS
    of_figure = Evidence(experiment="x.yaml", check="lag", figure="lag_s", max=Limit.parse("300ms"))
    assert verdict_of(of_figure, run)[0] is Verdict.FAIL
    assert verdict_of(of_figure.model_copy(update={"figure": "other"}), run)[0] is Verdict.UNKNOWN
    assert verdict_of(Evidence(experiment="x.yaml", check="convergence"), run)[0] is Verdict.UNKNOWN


def test_altered_evidence_proves_nothing() -> None:
    verdict, reason = verdict_of(WHOLE, PASSED, altered="was altered: requests.parquet")
    assert verdict is Verdict.UNKNOWN
    assert "requests.parquet" in reason


@pytest.mark.parametrize("state", ["gone", "changed"])
def test_what_can_no_longer_be_shown_is_told(state: str) -> None:
    found = RunFound(PASSED, gone="why") if state == "gone" else RunFound(PASSED, changed="why")
    assert from_run(WHOLE, found, "what").gone == "why"


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_an_interval_passes_whole_or_not_at_all(
    one: float, other: float, limit: float, at_least: bool
) -> None:
    lower, upper = sorted((one, other))
    found = Figure("x", lower, upper, "s", limit, at_least).verdict
    inside = [limit <= end if at_least else end <= limit for end in (lower, upper)]
    assert found is (Verdict.PASS if all(inside) else Verdict.UNKNOWN if any(inside) else Verdict.FAIL)


def test_an_end_that_was_never_seen_is_no_pass() -> None:
    assert Figure("x", 1.0, None, "s", 5.0).verdict is Verdict.UNKNOWN
    assert Figure("x", 6.0, None, "s", 5.0).verdict is Verdict.FAIL
    assert Figure("x", None, None, "s", 5.0).verdict is Verdict.UNKNOWN
