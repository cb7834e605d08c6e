"""Who is told what: every line of the policy's table."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from tests.support.pagerduty_double import TOKEN
from tests.support.results import CRASH, ROLLBACK, result, unverified
from tests.support.sinks import KEPT

from seatrial.incidents import IncidentSettings, policy
from seatrial.incidents.event import IncidentEvent, Subject
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context, Escalation
from seatrial.model.quantities import Duration
from seatrial.model.result import RunResult, StepRecord
from seatrial.model.verdict import Verdict
from seatrial.store import OutboxMessage

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CONTEXT = Context(
    routes=KEPT, report_url="https://trials.example/runs/7", reproduce="seatrial run chaos/x.yaml"
)
ALL = {
    "SEATRIAL_WEBHOOK_URL": "http://127.0.0.1/hook",
    "SEATRIAL_WEBHOOK_SECRET": "hush",
    "SEATRIAL_ALERTMANAGER_URL": "http://127.0.0.1:9093",
    "SEATRIAL_PAGERDUTY_TOKEN": TOKEN,
}
EVERYWHERE = replace(CONTEXT, routes=IncidentSettings.from_environment(ALL).routes())


def told(
    result: RunResult, history: IncidentHistory | None = None, context: Context = CONTEXT
) -> list[tuple[str, str]]:
    """(kind, sink) of everything but change events."""
    messages = policy.on_result(result, NOW, history or IncidentHistory(), context)
    return [(each.kind, each.sink) for each in messages if each.kind != "change"]


def triggered(messages: list[OutboxMessage]) -> IncidentEvent:
    return next(IncidentEvent.from_json(each.body) for each in messages if each.kind == "trigger")


def open_since(when: datetime, *sinks: str, failures: int = 1) -> IncidentHistory:
    last = triggered(policy.on_result(result(), when, IncidentHistory(), CONTEXT))
    last = replace(last, escalated="pagerduty-escalation" in sinks)
    return IncidentHistory(failures, dict.fromkeys(sinks or ("pagerduty",), when), last)


def test_a_failure_opens_an_incident_everywhere() -> None:
    assert told(result(), context=EVERYWHERE) == [
        ("trigger", "alertmanager"),
        ("trigger", "pagerduty"),
        ("trigger", "webhook"),
    ]


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [(7.2, math.inf, "7.20 s or more"), (7.2, None, "7.20 s or more"), (None, None, "not measured")],
)
def test_bounds_that_are_not_known_are_said_in_words(
    lower: float | None, upper: float | None, shown: str
) -> None:
    failed = result()
    objective = replace(failed.objectives[0], lower=lower, upper=upper)
    event = triggered(
        policy.on_result(replace(failed, objectives=(objective,)), NOW, IncidentHistory(), CONTEXT)
    )
    (told_of,) = cast("list[dict[str, str]]", event.details["objectives"])
    assert told_of["measured"] == shown


def test_its_details_say_what_was_promised_measured_and_suspected() -> None:
    event = triggered(policy.on_result(result(), NOW, IncidentHistory(), CONTEXT))
    assert event.dedup_key == "seatrial/testbed/database-crash"
    assert event.details["objectives"] == [
        {"objective": "downtime after crash", "target": "5 s", "measured": "7.20 … 7.60 s", "verdict": "fail"}
    ]
    assert event.details["suspected_step"] == "crash"
    assert event.details["reproduce"] == "seatrial run chaos/x.yaml"
    assert event.details["report"] == "https://trials.example/runs/7"
    assert "7.6 s > 5 s" in event.summary


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.PASS])
def test_without_a_failure_and_without_an_incident_nothing_is_told(verdict: Verdict) -> None:
    assert told(result(verdict)) == []


def test_only_a_pass_resolves_and_at_every_sink_where_it_is_open() -> None:
    history = open_since(NOW, "pagerduty", "pagerduty-escalation")
    resolves = [("resolve", "pagerduty"), ("resolve", "pagerduty-escalation")]
    assert told(result(Verdict.UNKNOWN), history) == []
    assert told(result(Verdict.PASS, interrupted=True), history) == []
    assert told(result(Verdict.PASS), history) == resolves


@pytest.mark.parametrize("step", [CRASH, ROLLBACK])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_step_that_is_not_known_to_be_undone_is_critical_whatever_the_verdict(
    verdict: Verdict, step: StepRecord
) -> None:
    left = result(verdict, steps=(unverified(step),))
    event = triggered(policy.on_result(left, NOW, open_since(NOW), CONTEXT))
    assert event.severity == "critical"
    assert "seatrial recover" in event.summary
    assert event.details["by_hand"] == ["patronictl restart shop db-1", "seatrial recover"]


@pytest.mark.parametrize(("failures_before", "escalates"), [(0, False), (1, False), (2, True), (7, True)])
def test_the_third_failure_in_a_row_is_louder_and_goes_to_the_second_key(
    failures_before: int, *, escalates: bool
) -> None:
    messages = policy.on_result(result(), NOW, open_since(NOW, failures=failures_before), CONTEXT)
    assert any(each.sink == "pagerduty-escalation" for each in messages) == escalates
    assert triggered(messages).severity == ("critical" if escalates else "error")


def test_a_repeat_is_noted_for_those_who_acknowledged() -> None:
    assert ("note", "pagerduty-notes") not in told(result(), context=EVERYWHERE)
    assert ("note", "pagerduty-notes") in told(result(), open_since(NOW), EVERYWHERE)
    assert ("note", "pagerduty-notes") not in told(result(), open_since(NOW), CONTEXT)


def test_start_actions_and_end_are_change_events_at_their_own_instants() -> None:
    start = policy.on_start(Subject("r", "x", "t"), NOW, EVERYWHERE)
    assert [(each.kind, each.sink) for each in start] == [("change", "pagerduty"), ("change", "webhook")]
    messages = policy.on_result(
        result(Verdict.PASS, steps=(CRASH, ROLLBACK)), NOW, IncidentHistory(), CONTEXT
    )
    events = [IncidentEvent.from_json(each.body) for each in messages]
    assert [event.summary.partition(": ")[2] for event in events] == ["deploy.rollback done", "ends: pass"]
    assert events[0].at == "2026-03-01T03:30:20.200000+00:00"
    assert len({each.order_key for each in messages}) == len(messages)  # they wait for nothing


def test_the_same_run_gives_the_same_message_ids() -> None:
    first, second = (
        policy.on_result(result(), at, IncidentHistory(), EVERYWHERE) for at in (NOW, NOW + timedelta(1))
    )
    assert [each.id for each in first] == [each.id for each in second]


RULE = Escalation(unacknowledged=Duration.parse("4h"))


@pytest.mark.parametrize(
    ("hours", "acknowledged", "escalates"),
    [(3.9, False, False), (4, False, True), (4, None, True), (99, True, False)],
)
def test_unacknowledged_for_too_long_escalates(
    hours: float, acknowledged: bool | None, *, escalates: bool
) -> None:
    history = open_since(NOW, "pagerduty", "webhook")
    later = NOW + timedelta(hours=hours)
    messages = policy.on_unacknowledged(history, later, RULE, KEPT, acknowledged=acknowledged)
    expected = ["pagerduty", "webhook", "pagerduty-escalation"] if escalates else []
    assert [each.sink for each in messages] == expected
    if escalates:
        assert triggered(messages).severity == "critical"


def test_what_is_escalated_or_has_no_rule_is_left_alone() -> None:
    later = NOW + timedelta(days=9)
    escalated = open_since(NOW, "pagerduty", "pagerduty-escalation")
    assert policy.on_unacknowledged(escalated, later, RULE, KEPT, acknowledged=False) == []
    assert policy.on_unacknowledged(open_since(NOW), later, Escalation(), KEPT, acknowledged=False) == []
    assert policy.on_unacknowledged(IncidentHistory(), later, RULE, KEPT, acknowledged=False) == []
