"""Nobody was called for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.support.alert_looks import CRASH, RULES, history, looks

from seatrial.checks.protocol import History
from seatrial.checks.registry import build
from seatrial.model.alerts import AlertsSeen
from seatrial.model.looks import Look
from seatrial.model.verdict import Verdict

PAGE = {"labels": {"severity": "page"}}
Labels = Mapping[str, tuple[Mapping[str, str], ...]]
PAGES: Labels = {"Down": ({"severity": "page"},), "Slow": ({"severity": "ticket"},)}


def by_rules(labels: Labels) -> tuple[Look[AlertsSeen], ...]:
    """Silent looks at a source that tells which labels its rules give."""
    return tuple(
        replace(look, seen=replace(look.seen, labels=labels)) for look in looks({}) if look.seen is not None
    )


@pytest.mark.parametrize(
    ("told", "parameters", "verdict", "words"),
    [
        (history(looks({})), PAGE, Verdict.PASS, "was silent for all 45.0 s"),
        (history(looks({"Down": [(13.0, 14.0)]})), PAGE, Verdict.FAIL, "Down {severity=page} fired at"),
        (history(looks({"Down": [(13.0, 14.0)]})), {"name": "Slow"}, Verdict.PASS, "Slow was silent"),
        (history(looks({"Down": [(4.0, 9.0)]})), {**PAGE, "after": "crash"}, Verdict.PASS, "silent for all 35.0 s"),
        (history(looks({"Down": [(-4.0, -1.0)]})), PAGE, Verdict.PASS, "silent"),
        (history(looks({"Down": [(-4.0, 9.0)]})), PAGE, Verdict.UNKNOWN, "before that already"),
        (history(looks({"Down": [(50.0, 55.0)]})), PAGE, Verdict.PASS, "silent"),  # when all was over
        (history(None, error="refused"), PAGE, Verdict.UNKNOWN, "refused"),
        (history(looks({}, away=(20.0, 24.0))), PAGE, Verdict.UNKNOWN, "nobody answered who would know"),
        (history(looks({}, end_s=30.0)), PAGE, Verdict.UNKNOWN, "nobody answered who would know"),
        (history(looks({}, rules={})), PAGE, Verdict.UNKNOWN, "it is always silent"),
        (history(looks({})), {"name": "Donw"}, Verdict.UNKNOWN, "did you mean 'Down'?"),
        (history(by_rules(PAGES)), PAGE, Verdict.PASS, "silent"),
        (history(by_rules(PAGES)), {"labels": {"severity": "pgae"}}, Verdict.UNKNOWN, "{severity=pgae}: it is always silent"),
        (history(by_rules(PAGES)), {"name": "Slow", **PAGE}, Verdict.UNKNOWN, "it is always silent"),
        (history(by_rules(PAGES)), {"labels": {"team": "shop"}}, Verdict.PASS, "silent"),  # of the series
        (history(by_rules({"Any": ({"severity": "{{ $labels.how }}"},)})), PAGE, Verdict.PASS, "silent"),
        (history(looks({"Down": [(44.9, 50.0)]}, end_s=46.0)), PAGE, Verdict.UNKNOWN, "before the end or after it"),
        (history(looks({}, rules={**RULES, "Down": "not evaluated for 9 s"})), PAGE, Verdict.UNKNOWN, "for 9 s"),
        (history(looks({}, rules={**RULES, "Down": "boom"})), {"name": "Slow"}, Verdict.PASS, "silent"),
        (history(looks({}), cut="Ctrl-C"), PAGE, Verdict.UNKNOWN, "Ctrl-C"),
        (history(looks({"Down": [(13.0, 14.0)]}), cut="Ctrl-C"), PAGE, Verdict.FAIL, "fired"),
        (history(looks({}), steps=()), {**PAGE, "after": "crash"}, Verdict.UNKNOWN, "crash: did not happen"),
    ],
)  # fmt: skip
def test_verdicts(told: History, parameters: dict[str, object], verdict: Verdict, words: str) -> None:
    result = build("alert-silent", parameters).judge(told)
    assert (result.verdict, words in result.detail) == (verdict, True), result.detail


def test_it_is_no_evidence_of_detection() -> None:
    assert build("alert-silent", PAGE).judge(history(looks({}), steps=(CRASH,))).noticed is None
