"""Somebody would have noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.alert_looks import CRASH, RULES, history, looks

from seatrial.checks.registry import build
from seatrial.model.problems import BadInput
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


def judged(told: object, **parameters: object) -> CheckResult:
    return build("alert-fired", {"name": "Down", "within": "20s", **parameters}).judge(told)  # type: ignore[arg-type]


def test_an_alert_in_time_passes_with_its_bounds() -> None:
    result = judged(history(looks({"Down": [(13.2, 30.0)]})))
    assert result.verdict is Verdict.PASS
    assert result.noticed is not None
    assert result.noticed.detect is not None
    # not firing at the look of 13.0, firing at that of 13.5; the fault came between 10.0 and 10.02
    assert result.noticed.detect.lower_s == pytest.approx(2.98)
    assert result.noticed.detect.upper_s == pytest.approx(3.51)
    assert (result.noticed.step, result.noticed.alert, result.noticed.source) == (
        "crash",
        "Down",
        "prometheus",
    )


@pytest.mark.parametrize(
    ("spans", "within", "verdict", "told"),
    [
        ({}, "20s", Verdict.FAIL, "nobody would have noticed crash"),
        ({"Slow": [(12.0, 30.0)]}, "20s", Verdict.FAIL, "nobody would have noticed crash"),
        ({"Down": [(35.0, 40.0)]}, "20s", Verdict.FAIL, "20s allowed"),
        ({"Down": [(13.2, 30.0)]}, "3.2s", Verdict.UNKNOWN, "3.2s allowed"),
        ({"Down": [(8.0, 30.0)]}, "20s", Verdict.UNKNOWN, "proves nothing"),
        ({"Down": [(-10.0, 99.0)]}, "20s", Verdict.UNKNOWN, "proves nothing"),
        ({"Down": [(9.4, 30.0)]}, "20s", Verdict.UNKNOWN, "proves nothing"),
        ({"Down": [(2.0, 5.0), (12.0, 30.0)]}, "20s", Verdict.PASS, "fired"),  # one that had ended before
        ({"Down": [(2.0, 5.0)]}, "20s", Verdict.FAIL, "nobody would have noticed"),
    ],
)
def test_verdicts(
    spans: dict[str, list[tuple[float, float]]], within: str, verdict: Verdict, told: str
) -> None:
    result = judged(history(looks(spans)), within=within)
    assert (result.verdict, told in result.detail) == (verdict, True), result.detail


def test_what_began_in_the_look_that_the_fault_fell_in_may_have_begun_before_it() -> None:
    step = replace(CRASH, before_s=10.2, injected_s=10.25)
    result = judged(history(looks({"Down": [(10.3, 30.0)]}), steps=(step,)))
    assert (result.verdict, "cannot be told" in result.detail) == (Verdict.UNKNOWN, True)


def test_a_source_that_does_not_answer_proves_nothing() -> None:
    for told in (
        history(None, error="alerts: connection refused"),
        history(looks({}, away=(-5.0, 60.0))),
        history(looks({}, away=(12.0, 16.0))),
        history(()),
    ):
        result = judged(told)
        assert result.verdict is Verdict.UNKNOWN
        assert result.noticed is not None
        assert result.noticed.detect is None
    assert "nobody answers" in judged(history(looks({}, away=(12.0, 16.0)))).detail


def test_a_run_that_ends_before_the_time_is_over_is_no_proof_that_nobody_noticed() -> None:
    result = judged(history(looks({}, end_s=25.0)), within="60s")
    assert result.verdict is Verdict.UNKNOWN
    assert "only 14.5 s after crash were watched, of 60s: run longer, or ask less" in result.detail


def test_an_alert_that_no_rule_raises_is_never_told_and_a_near_name_is_named() -> None:
    result = judged(history(looks({}, rules={"DownNow": ""})))
    assert result.verdict is Verdict.FAIL
    assert "there is no rule called Down; did you mean 'DownNow'?" in result.detail
    assert "no rule" not in judged(history(looks({}, rules=None))).detail  # such a source knows of none


def test_labels_that_no_rule_gives_are_noticed_by_nobody() -> None:
    rules = {"Down": ({"severity": "ticket"},)}
    seen = looks({}, away=(12.0, 40.0))
    seen = tuple(replace(look, seen=look.seen and replace(look.seen, labels=rules)) for look in seen)
    result = judged(history(seen), labels={"severity": "page"})
    assert result.verdict is Verdict.FAIL
    assert "no rule gives an alert the labels {severity=page}" in result.detail


def test_labels_choose_among_alerts() -> None:
    told = history(looks({"Down": [(13.0, 30.0)]}, severity="ticket"))
    assert judged(told, labels={"severity": "ticket"}).verdict is Verdict.PASS
    result = judged(told, labels={"severity": "page"})
    assert (result.verdict, "Down {severity=page}" in result.detail) == (Verdict.FAIL, True)
    anything = build("alert-fired", {"labels": {"severity": "ticket"}, "within": "20s"})
    assert anything.judge(told).verdict is Verdict.PASS


def test_a_step_that_did_not_happen_and_one_that_is_left_out() -> None:
    never = replace(CRASH, before_s=None, injected_s=None)
    assert judged(history(looks({}), steps=(never,))).verdict is Verdict.UNKNOWN
    assert judged(history(looks({}), steps=())).verdict is Verdict.UNKNOWN
    switch = replace(CRASH, name="switch", kind="action", before_s=2.0, injected_s=2.0)
    told = history(looks({"Down": [(13.0, 30.0)]}), steps=(switch, CRASH))
    assert judged(told).noticed.step == "crash"  # type: ignore[union-attr]
    assert judged(told, after="switch").noticed.step == "switch"  # type: ignore[union-attr]


def test_a_run_that_was_cut_short_fails_for_nothing_that_could_still_have_come() -> None:
    told = history(looks({}), cut="a guard", end_s=20.0)
    assert judged(told).verdict is Verdict.UNKNOWN
    assert judged(told, within="5s").verdict is Verdict.FAIL


def test_which_alert_must_be_said() -> None:
    with pytest.raises(BadInput, match="which alert is not said"):
        build("alert-fired", {})
    with pytest.raises(BadInput, match="write name: Down"):
        build("alert-fired", {"labels": {"alertname": "Down"}})
    assert build("alert-fired", {"name": "Down", "source": "pagerduty"}).needs()[0].role == "alerts.pagerduty"
    assert build("alert-fired", {"name": "Down", "role": "mine"}).needs()[0].role == "mine"


def test_a_rule_that_is_not_evaluated_has_not_noticed_either() -> None:
    assert judged(history(looks({}, rules={**RULES, "Down": "an error"}))).verdict is Verdict.FAIL
