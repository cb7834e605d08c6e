"""Verdicts: upper bounds, unknown is never a pass, reasons worst first."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.support.rows import log_of, rows_of

from seatrial.measure import measure
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.scenarioaccount import ScenarioAccount, ScenarioError
from seatrial.model.verdict import Verdict
from seatrial.run.judge import Story, judge, judge_objectives

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
    return log_of(rows)


def story(promised: Experiment, requests: RequestLog, *steps: StepRecord, cut: str = "") -> Story:
    measured = measure(requests, 0.5, 1.0, 0.0, 20.0, [("rollback", 10.0)]) if len(requests) else None
    return Story(promised, requests, measured, steps, cut)


@pytest.mark.parametrize(
    ("limit", "expected"), [("5s", Verdict.PASS), ("1s", Verdict.FAIL), ("2s", Verdict.UNKNOWN)]
)
def test_downtime_after_a_step_is_judged_on_its_upper_bound(limit: str, expected: Verdict) -> None:
    requests = log(10.5, 12.5)  # between 1.99 s and 2.01 s
    promised = experiment(f"objectives: {{downtime: {{max: {limit}, after: rollback}}}}\n")
    (result,) = judge_objectives(story(promised, requests, ROLLBACK))
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
        (result,) = judge_objectives(story(promised, requests, step))
        assert result.verdict is Verdict.FAIL
        assert result.reason.startswith(f"its end was not seen: {said}")


def of_tenants(bad_from: float = 0, bad_to: float = 0) -> RequestLog:
    """The same log, in the names of ten tenants in turn; only globex has bad requests."""
    tenants = ("acme", "globex", *(f"tenant{number:03d}" for number in range(3, 11)))
    whole, other = log(), log(bad_from, bad_to)
    names = [tenants[index % 10] for index in range(len(whole))]
    ok = np.where(np.array(names) == "globex", other.ok, True)
    return replace(whole, ok=ok, tenant=Coded.of(names))


@pytest.mark.parametrize(
    ("limit", "verdict", "told"),
    [
        ("3s", Verdict.PASS, ""),
        ("1500ms", Verdict.FAIL, r"^at least 4\d\d ms too long \(tenant globex\)$"),
        ("2s", Verdict.UNKNOWN, r"^the bounds hold the target between them.*\(tenant globex\)$"),
    ],
)
def test_each_tenant_is_held_to_what_is_promised_to_one(limit: str, verdict: Verdict, told: str) -> None:
    promised = experiment(
        f"objectives: {{downtime: [{{max: 1s, after: rollback}}, {{max: {limit}, after: rollback, per: tenant}}]}}"
        "\n"
    )
    everybody, worst = judge_objectives(story(promised, of_tenants(10.5, 12.5), ROLLBACK))
    assert everybody.verdict is Verdict.PASS  # one bad request in ten is no outage of all
    assert worst.name == "downtime per tenant after rollback"
    assert worst.verdict is verdict
    assert re.search(told, worst.reason)


def test_without_tenants_a_promise_to_each_is_unknown_and_so_it_is_with_one_that_nobody_asked() -> None:
    promised = experiment("objectives: {downtime: {max: 5s, after: rollback, per: tenant}}\n")
    (untold,) = judge_objectives(story(promised, log(), ROLLBACK))
    assert untold.verdict is Verdict.UNKNOWN
    assert "in which tenant's name" in untold.reason
    names = ["initech" if index == 3 else "acme" for index in range(2000)]
    (unasked,) = judge_objectives(story(promised, replace(log(), tenant=Coded.of(names)), ROLLBACK))
    assert unasked.verdict is Verdict.UNKNOWN
    assert unasked.reason.endswith("(tenant initech)")


def test_recovery_counts_from_the_effect_which_came_between_two_instants() -> None:
    requests = log(10.5, 12)
    slow = replace(ROLLBACK, before_s=10.0, injected_s=10.4)
    promised = experiment("objectives: {recovery: {max: 5s, after: rollback}}\n")
    (result,) = judge_objectives(story(promised, requests, slow))
    assert result.lower == pytest.approx(11.99 - 10.4)  # the last bad request was sent at 11.99 s
    assert result.upper == pytest.approx(12.002 - 10.0)  # and the first good one answered at 12.002 s


def test_what_went_wrong_before_the_step_is_not_held_against_it() -> None:
    requests = log(3, 5)
    promised = experiment("objectives: {downtime: {max: 100ms, after: rollback}}\n")
    (result,) = judge_objectives(story(promised, requests, ROLLBACK))
    assert result.verdict is Verdict.PASS


def test_a_step_that_did_not_happen_leaves_its_objectives_unknown() -> None:
    requests = log()
    idle = StepRecord("rollback", "action", "deploy.rollback", "edge", 10.0)
    promised = experiment(
        "objectives: {downtime: {max: 5s, after: rollback}, recovery: {max: 5s, after: rollback}}\n"
    )
    results = judge_objectives(story(promised, requests, idle))
    assert [result.verdict for result in results] == [Verdict.UNKNOWN, Verdict.UNKNOWN]


def test_the_other_objectives() -> None:
    requests = log(10, 11)
    promised = experiment("objectives: {latency: {p95: 100ms}, errors: {max: 1%}, throughput: {min: 90/s}}\n")
    latency, errors, throughput = judge_objectives(story(promised, requests, ROLLBACK))
    assert latency.verdict is Verdict.PASS
    assert errors.verdict is Verdict.FAIL
    assert errors.upper == pytest.approx(0.05)
    assert throughput.verdict is Verdict.PASS
    assert throughput.upper == pytest.approx(95)


def test_with_nothing_promised_the_verdict_is_unknown() -> None:
    requests = log()
    promised = build(Experiment, parse(BASE, "x.yaml"))
    judgement = judge(story(promised, requests), (), ())
    assert judgement.verdict is Verdict.UNKNOWN
    assert "nothing was promised" in judgement.reasons[0]


def test_a_late_generator_cannot_pass() -> None:
    requests = log(late_s=0.3)
    promised = experiment("objectives: {errors: {max: 1%}}\n")
    results = judge_objectives(story(promised, requests, ROLLBACK))
    judgement = judge(story(promised, requests, ROLLBACK), results, ())
    assert results[0].verdict is Verdict.PASS
    assert judgement.verdict is Verdict.UNKNOWN
    assert "generator" in judgement.reasons[0]


def test_failures_come_before_doubts_and_a_fault_that_stayed_is_a_failure() -> None:
    requests = log()
    promised = experiment("objectives: {errors: {max: 1%}}\n")
    stuck = StepRecord("crash", "fault", "process.kill", "db", 1.0, 1.0, 1.0, None, False, "not well again")
    told = story(promised, requests, stuck)
    judgement = judge(
        told,
        judge_objectives(told),
        (CheckResult("served-by", Verdict.UNKNOWN, "nobody said"),),
        ((Verdict.UNKNOWN, "interrupted"),),
    )
    assert judgement.verdict is Verdict.FAIL
    assert judgement.reasons[0].startswith("crash (process.kill on db) was undone, and yet")
    assert "not well again" in judgement.reasons[0]
    assert judgement.reasons[1:] == ("interrupted", "served-by: nobody said")


# what is proof


def dropped(requests: RequestLog, from_s: float, to_s: float) -> RequestLog:
    """The same log, had the generator not sent what was due in [from_s, to_s)."""
    table = rows_of(requests)
    for row in table:
        if from_s <= row["intended"] < to_s:
            row |= {
                "sent": None,
                "ended": None,
                "ok": False,
                "status": 0,
                "error": "dropped: too many open files",
            }
    return log_of(table)


EVERYTHING = (
    "objectives:\n  downtime: {max: 1s}\n  recovery: {max: 1s, after: rollback}\n  errors: {max: 1%}\n"
    "  latency: {p95: 100ms}\n  throughput: {min: 50/s}\n"
)


def test_what_was_never_sent_fails_nothing_and_passes_nothing() -> None:
    told = story(experiment(EVERYTHING), dropped(log(), 0, 20), ROLLBACK)
    results = judge_objectives(told)
    assert {result.verdict for result in results} == {Verdict.UNKNOWN}
    assert judge(told, results, ()).verdict is Verdict.UNKNOWN
    assert len(results) == 5


def test_an_end_that_was_never_seen_is_no_number() -> None:
    told = story(experiment("objectives: {downtime: {max: 1s}}"), log(15, 20))
    (reason, *_) = judge(told, judge_objectives(told), ()).reasons
    assert re.match(r"downtime: \[4\.\d+, ∞\) s, target 1 s", reason)


def test_dropped_arrivals_do_not_make_an_outage_of_two_short_ones() -> None:
    requests = dropped(log(10.5, 13.0), 11.2, 11.8)
    (result,) = judge_objectives(story(experiment("objectives: {downtime: {max: 2s}}\n"), requests, ROLLBACK))
    assert result.verdict is Verdict.UNKNOWN
    assert result.lower == pytest.approx(1.19)
    assert "the load generator's own failure" in result.reason
    (shorter,) = judge_objectives(
        story(experiment("objectives: {downtime: {max: 1s}}\n"), requests, ROLLBACK)
    )
    assert shorter.verdict is Verdict.FAIL, "what is proven without them stands"


def test_errors_fail_on_what_is_proven_and_pass_on_all_that_was_bad() -> None:
    promised = experiment("objectives: {errors: {max: 10%}}\n")
    for requests, expected in (
        (log(10, 11.9), Verdict.PASS),  # 9.5 %
        (log(10, 13), Verdict.FAIL),
        (dropped(log(10, 11), 15, 18), Verdict.UNKNOWN),  # 5 % proven, 20 % bad
    ):
        (result,) = judge_objectives(story(promised, requests, ROLLBACK))
        assert result.verdict is expected


def test_percentiles_want_a_sample_that_can_carry_them() -> None:
    promised = experiment("objectives: {latency: {p95: 100ms, p99: 100ms, max: 100ms}}\n")
    few = log()[:40]
    p95, p99, most = judge_objectives(story(promised, few, ROLLBACK))
    assert (p95.verdict, p99.verdict, most.verdict) == (Verdict.PASS, Verdict.UNKNOWN, Verdict.PASS)
    assert p99.reason == "40 answers cannot carry it"


def test_a_limit_beyond_the_deadline_is_not_kept_by_whoever_was_never_answered() -> None:
    table = rows_of(log())
    for row in table[::5]:
        row |= {"ended": None, "ok": False, "status": 0, "error": "deadline"}
    requests = log_of(table)
    (result,) = judge_objectives(story(experiment("objectives: {latency: {p95: 3s}}\n"), requests, ROLLBACK))
    assert (result.lower, result.upper) == (500.0, float("inf"))
    assert result.verdict is Verdict.UNKNOWN


def test_of_a_story_cut_short_only_what_is_proven_whatever_follows_may_fail() -> None:
    promised = experiment(EVERYTHING)
    cut = "the load generator ended early: killed by signal 9"
    well = judge_objectives(story(promised, log(), ROLLBACK, cut=cut))
    assert {result.verdict for result in well} == {Verdict.UNKNOWN}
    badly = judge_objectives(story(promised, log(10.5, 20), ROLLBACK, cut=cut))
    assert [result.name for result in badly if result.verdict is Verdict.FAIL] == ["downtime"]
    assert all(cut in result.reason for result in badly if result.verdict is Verdict.UNKNOWN)


def test_objectives_are_listed_even_if_nothing_was_measured() -> None:
    nothing = RequestLog.concat([])
    told = story(experiment(EVERYTHING), nothing, cut="the load generator did not start")
    results = judge_objectives(told)
    assert [result.name for result in results] == [
        "downtime", "recovery after rollback", "latency p95", "errors", "throughput",
    ]  # fmt: skip
    assert {result.reason for result in results} == {"nothing was measured"}
    assert judge(told, results, ()).verdict is Verdict.UNKNOWN
    judgement = judge(told, results, (), ((Verdict.UNKNOWN, "the load generator did not start"),))
    assert judgement.reasons == ("the load generator did not start",), "which says it all"


@pytest.mark.parametrize(
    ("failed", "tolerated", "expected"),
    [
        (0, "0%", Verdict.PASS),
        (1, "0%", Verdict.UNKNOWN),
        (20, "1%", Verdict.PASS),
        (21, "1%", Verdict.UNKNOWN),
    ],
)
def test_a_scenario_that_raised_cannot_pass_beyond_its_tolerance(
    failed: int, tolerated: str, expected: Verdict
) -> None:
    text = BASE.replace("deadline:", f"scenario_errors: {tolerated}, deadline:")
    promised = build(Experiment, parse(text + "objectives: {errors: {max: 1%}}\n", "x.yaml"))
    errors = (ScenarioError("KeyError: 'nope'", "a.py:7", "home", failed),) if failed else ()
    told = story(promised, log())
    judgement = judge(told, judge_objectives(told), (), scenario=ScenarioAccount(2000, errors))
    assert judgement.verdict is expected
    assert [("a.py:7 KeyError: 'nope'" in reason) for reason in judgement.reasons] == [True] * len(
        judgement.reasons
    )
    broken = story(promised, log(10, 12))
    stands = judge(broken, judge_objectives(broken), (), scenario=ScenarioAccount(2000, errors))
    assert stands.verdict is Verdict.FAIL, "a fail that is proven without the scenario stands"
