"""Nobody was called for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.support.alert_looks import CRASH, RULES, history, looks

from seatrial.checks.protocol import History, Need, Recorded, When
from seatrial.checks.registry import build
from seatrial.model.alerts import AlertsSeen, Evaluation
from seatrial.model.looks import Look
from seatrial.model.problems import BadInput
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


WATCHED = {**PAGE, "source": "alertmanager", "heartbeat": {"name": "Watchdog"}}
ALWAYS = [(-9.0, 99.0)]
ALERTMANAGER: Need[Any] = Need("alerts", "alerts.alertmanager", When.DURING)


def fed(*, beats: Sequence[tuple[float, float]], down: Sequence[tuple[float, float]] = ()) -> History:
    """What an Alertmanager told, while Prometheus was silent."""
    seen = looks({"Watchdog": beats, "Down": down}, rules=None)
    seen = tuple(
        replace(look, seen=replace(look.seen, firing=tuple(
            replace(each, labels={"severity": "none"}) if each.name == "Watchdog" else each
            for each in look.seen.firing)))
        for look in seen if look.seen is not None
    )  # fmt: skip
    silent = history(looks({}))
    return replace(silent, recorded={**silent.recorded, ALERTMANAGER: Recorded({"alertmanager": seen})})


@pytest.mark.parametrize(
    ("told", "parameters", "verdict", "words"),
    [
        (fed(beats=ALWAYS), WATCHED, Verdict.PASS, "was silent for all 45.0 s"),
        (fed(beats=[(-9.0, 20.0), (21.0, 99.0)]), WATCHED, Verdict.UNKNOWN, "Watchdog, which always fires, did not at 20.000 s"),
        (fed(beats=()), WATCHED, Verdict.UNKNOWN, "nobody would have told"),
        (fed(beats=()), {**PAGE, "source": "alertmanager"}, Verdict.PASS, "silent"),  # nobody asked for it
        (fed(beats=(), down=[(13.0, 14.0)]), WATCHED, Verdict.FAIL, "Down"),
        (fed(beats=[(9.0, 99.0)]), {**WATCHED, "after": "crash"}, Verdict.PASS, "silent"),
        (fed(beats=ALWAYS), {**WATCHED, "heartbeat": {"name": "Watchdog", "labels": {"a": "b"}}}, Verdict.UNKNOWN, "Watchdog {a=b}"),
        (fed(beats=ALWAYS), {**PAGE, "heartbeat": {"name": "Watchdog", "source": "alertmanager"}}, Verdict.PASS, "silent"),
        (history(looks({})), {**PAGE, "heartbeat": {"name": "Watchdog", "source": "alertmanager"}}, Verdict.UNKNOWN, "whether Watchdog fires is not known"),
    ],
)  # fmt: skip
def test_a_silence_counts_where_what_always_fires_was_heard(
    told: History, parameters: dict[str, object], verdict: Verdict, words: str
) -> None:
    result = build("alert-silent", parameters).judge(told)
    assert (result.verdict, words in result.detail) == (verdict, True), result.detail


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {**PAGE, "source": "pagerduty", "heartbeat": {"name": "Watchdog"}},
            "stays open when nobody feeds it",
        ),
        ({"name": "Watchdog", "heartbeat": {"name": "Watchdog"}}, "cannot both be silent and always fire"),
        ({**PAGE, "heartbeat": {"nmae": "Watchdog"}}, "nmae"),
    ],
)
def test_a_heartbeat_that_proves_nothing_is_refused(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        build("alert-silent", parameters)


def evaluated(every_s: float, *, stops_s: float = 99.0, rule: str = "Down") -> History:
    """Silent looks at a source that is asked for its rules every 5 s, and that evaluates them every so often."""
    seen = looks({})
    found = tuple(
        replace(look, seen=replace(look.seen, labels=PAGES, evaluations={
            "g": Evaluation(str(min(look.asked_s, stops_s) // every_s), every_s, frozenset({rule}))}))
        if look.seen is not None and look.asked_s % 5 == 0 else look
        for look in seen
    )  # fmt: skip
    return history(found)


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        (evaluated(1.0), Verdict.PASS),
        (evaluated(30.0), Verdict.PASS),
        (evaluated(600.0), Verdict.UNKNOWN),
        (evaluated(600.0, rule="Slow"), Verdict.PASS),  # a ticket
        (evaluated(30.0, stops_s=-1.0), Verdict.UNKNOWN),
        (evaluated(1.0, stops_s=-6.0), Verdict.UNKNOWN),
    ],
)
def test_rules_that_nobody_evaluated_meanwhile_are_silent_for_nothing(
    told: History, verdict: Verdict
) -> None:
    result = build("alert-silent", PAGE).judge(told)
    assert result.verdict is verdict, result.detail
    assert verdict is Verdict.PASS or "no evaluation of Down is known in the 45.0 s" in result.detail


def test_rules_that_are_evaluated_all_the_time_count_in_a_short_part_too() -> None:
    steps = (replace(CRASH, before_s=43.0),)
    told = replace(evaluated(1.0), steps=steps)
    assert build("alert-silent", {**PAGE, "after": "crash"}).judge(told).verdict is Verdict.PASS
