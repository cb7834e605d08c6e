"""Verdicts: upper bounds, unknown is never a pass, reasons worst first."""

from dataclasses import replace

import pyarrow as pa
import pytest

from seatrial.measure import measure
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.requestlog import SCHEMA, RequestLog
from seatrial.model.result import CheckResult, Measurement, StepRecord
from seatrial.model.verdict import Verdict
from seatrial.run.judge import judge, judge_objectives

BASE = "experiment: x\nload: {scenario: a.py, rate: 100/s, deadline: 500ms}\nduration: 20s\n"
ROLLBACK = StepRecord("rollback", "action", "deploy.rollback", "edge", 10.0, before_s=10.0, injected_s=10.001)


def experiment(objectives: str) -> Experiment:
    step = "timeline:\n  - {at: 10s, action: deploy.rollback, on: edge, name: rollback}\n"
    return build(Experiment, parse(BASE + step + objectives, "x.yaml"))


def log(bad_from: float = 0, bad_to: float = 0, late_s: float = 0.0) -> RequestLog:
    """100 a second for 20 s, each answered in 2 ms; those due in [bad_from, bad_to) are refused at once."""
    rows = []
    for index in range(2000):
        due = index / 100
        bad = bad_from <= due < bad_to
        rows.append({
            "intended": due, "sent": due + late_s, "ended": due + late_s + 0.002, "ok": not bad,
            "status": 503 if bad else 200, "name": "GET /", "served_by": "blue",
            "error": "HTTP 503" if bad else "", "worker": "0", "key": None,
        })  # fmt: skip
    return RequestLog.from_arrow(pa.Table.from_pylist(rows, schema=SCHEMA))


def measured(requests: RequestLog) -> Measurement:
    return measure(requests, 0.5, 1.0, 0.0, 20.0, [("rollback", 10.0)])


@pytest.mark.parametrize(
    ("limit", "expected"), [("5s", Verdict.PASS), ("1s", Verdict.FAIL), ("2s", Verdict.UNKNOWN)]
)
def test_downtime_after_a_step_is_judged_on_its_upper_bound(limit: str, expected: Verdict) -> None:
    requests = log(10.5, 12.5)  # between 1.99 s and 2.01 s
    promised = experiment(f"objectives: {{downtime: {{max: {limit}, after: rollback}}}}\n")
    (result,) = judge_objectives(promised, requests, measured(requests), (ROLLBACK,))
    assert result.name == "downtime after rollback"
    assert result.lower is not None
    assert result.upper is not None
    assert result.lower <= 2.0 <= result.upper
    assert result.verdict is expected


@pytest.mark.parametrize("objective", ["downtime", "recovery"])
def test_an_outage_without_an_end_is_explained_by_the_probe_if_it_can(objective: str) -> None:
    requests = log(10.5, 20)
    promised = experiment(f"objectives: {{{objective}: {{max: 5s, after: rollback}}}}\n")
    for step, said in (
        (ROLLBACK, "the run ended first"),
        (replace(ROLLBACK, unwell="no leader"), "no leader"),
    ):
        (result,) = judge_objectives(promised, requests, measured(requests), (step,))
        assert result.verdict is Verdict.FAIL
        assert result.reason.startswith(f"its end was not seen: {said}")


def test_recovery_counts_from_the_effect_which_came_between_two_instants() -> None:
    requests = log(10.5, 12)
    slow = replace(ROLLBACK, before_s=10.0, injected_s=10.4)
    promised = experiment("objectives: {recovery: {max: 5s, after: rollback}}\n")
    (result,) = judge_objectives(promised, requests, measured(requests), (slow,))
    assert result.lower == pytest.approx(11.99 - 10.4)  # the last bad request was sent at 11.99 s
    assert result.upper == pytest.approx(12.002 - 10.0)  # and the first good one answered at 12.002 s


def test_what_went_wrong_before_the_step_is_not_held_against_it() -> None:
    requests = log(3, 5)
    promised = experiment("objectives: {downtime: {max: 100ms, after: rollback}}\n")
    (result,) = judge_objectives(promised, requests, measured(requests), (ROLLBACK,))
    assert result.verdict is Verdict.PASS


def test_a_step_that_did_not_happen_leaves_its_objectives_unknown() -> None:
    requests = log()
    idle = StepRecord("rollback", "action", "deploy.rollback", "edge", 10.0)
    promised = experiment(
        "objectives: {downtime: {max: 5s, after: rollback}, recovery: {max: 5s, after: rollback}}\n"
    )
    results = judge_objectives(promised, requests, measured(requests), (idle,))
    assert [result.verdict for result in results] == [Verdict.UNKNOWN, Verdict.UNKNOWN]


def test_the_other_objectives() -> None:
    requests = log(10, 11)
    promised = experiment("objectives: {latency: {p95: 100ms}, errors: {max: 1%}, throughput: {min: 90/s}}\n")
    latency, errors, throughput = judge_objectives(promised, requests, measured(requests), (ROLLBACK,))
    assert latency.verdict is Verdict.PASS
    assert errors.verdict is Verdict.FAIL
    assert errors.upper == pytest.approx(0.05)
    assert throughput.verdict is Verdict.PASS
    assert throughput.upper == pytest.approx(95)


def test_with_nothing_promised_the_verdict_is_unknown() -> None:
    requests = log()
    promised = build(Experiment, parse(BASE, "x.yaml"))
    judgement = judge((), (), (), measured(requests), promised)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "nothing was promised" in judgement.reasons[0]


def test_a_late_generator_cannot_pass() -> None:
    requests = log(late_s=0.3)
    promised = experiment("objectives: {errors: {max: 1%}}\n")
    results = judge_objectives(promised, requests, measured(requests), (ROLLBACK,))
    judgement = judge(results, (), (ROLLBACK,), measured(requests), promised)
    assert results[0].verdict is Verdict.PASS
    assert judgement.verdict is Verdict.UNKNOWN
    assert "generator" in judgement.reasons[0]


def test_failures_come_before_doubts_and_a_fault_that_stayed_is_a_failure() -> None:
    requests = log()
    promised = experiment("objectives: {errors: {max: 1%}}\n")
    stuck = StepRecord("crash", "fault", "process.kill", "db", 1.0, 1.0, 1.0, None, False, "not well again")
    judgement = judge(
        judge_objectives(promised, requests, measured(requests), ()),
        (CheckResult("served-by", Verdict.UNKNOWN, "nobody said"),),
        (stuck,),
        measured(requests),
        promised,
        ((Verdict.UNKNOWN, "interrupted"),),
    )
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reasons[0].startswith("crash (process.kill on db) was undone, and yet")
    assert "not well again" in judgement.reasons[0]
    assert judgement.reasons[1:] == ("interrupted", "served-by: nobody said")
