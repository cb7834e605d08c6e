"""From verdicts to PagerDuty and back, through the real store: what a user sees at each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from tests.support.pagerduty_double import ESCALATION_KEY, PagerDutyDouble
from tests.support.results import result
from tests.support.sinks import KEPT, pagerduty

from seatrial.incidents import (
    Escalation,
    IncidentSettings,
    Reporter,
    deliver,
    list_incidents,
    retry,
    would_send,
)
from seatrial.incidents.escalation import escalate_neglected
from seatrial.incidents.event import Json
from seatrial.incidents.sink import TryLater
from seatrial.model.quantities import Duration
from seatrial.model.verdict import Verdict
from seatrial.store import MessageState, Store

KEY = "seatrial/testbed/database-crash"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as opened:
        yield opened


@pytest.fixture
def double() -> Iterator[PagerDutyDouble]:
    with PagerDutyDouble() as running:
        yield running


@pytest.fixture
def settings(double: PagerDutyDouble) -> IncidentSettings:
    return replace(pagerduty(double.url), report_url="https://trials.example")


def test_failures_escalate_fold_are_noted_and_resolve(
    store: Store, settings: IncidentSettings, double: PagerDutyDouble
) -> None:
    reporter = Reporter(store, settings, reproduce="seatrial run chaos/database-crash.yaml")
    reporter.started("database-crash-0001", "database-crash", "testbed")
    for number in (1, 2):
        assert reporter.finished(result(Verdict.FAIL, number))
    deliver(store, settings)
    double.acknowledge(KEY)
    assert double.open(KEY, ESCALATION_KEY) is None
    reporter.finished(result(Verdict.FAIL, 3))
    reporter.finished(result(Verdict.UNKNOWN, 4))
    deliver(store, settings)
    alert, escalated = double.open(KEY), double.open(KEY, ESCALATION_KEY)
    assert alert is not None
    assert escalated is not None
    assert [event["payload"]["severity"] for event in alert.log] == ["error", "error", "critical"]
    assert [note.splitlines()[0] for note in alert.notes] == [
        "Still failing: database-crash on testbed failed (3 times in a row): downtime after crash: 7.6 s > 5 s"
    ]
    (row,) = list_incidents(store, settings).incidents
    assert (row.dedup_key, row.severity, row.escalated) == (KEY, "critical", True)
    reporter.finished(result(Verdict.PASS, 5))
    deliver(store, settings)
    assert (alert.status, escalated.status) == ("resolved", "resolved")
    assert list_incidents(store, settings).incidents == ()
    assert [change["payload"]["summary"] for change in double.changes][:2] == [
        "database-crash on testbed: begins",
        "database-crash on testbed: ends: fail",
    ]
    assert (double.rejected, double.dropped) == ([], [])


def test_recording_a_run_twice_says_nothing_twice(
    store: Store, settings: IncidentSettings, double: PagerDutyDouble
) -> None:
    reporter = Reporter(store, settings)
    assert reporter.finished(result())
    assert not reporter.finished(result())
    deliver(store, settings)
    assert [len(alert.log) for alert in double.alerts] == [1]


def test_without_a_key_everything_is_kept_shown_and_sent_once_there_is_one(
    store: Store, settings: IncidentSettings, double: PagerDutyDouble
) -> None:
    off = IncidentSettings()
    Reporter(store, off).finished(result())
    assert deliver(store, off) == 0
    listing = list_incidents(store, off)
    assert {row.off.partition(" ")[0] for row in listing.waiting} == {"SEATRIAL_PAGERDUTY_KEY"}
    bodies = cast("list[dict[str, Json]]", would_send(store))
    change, trigger = sorted(bodies, key=lambda body: "event_action" in body)
    assert "routing_key" not in change | trigger
    assert trigger["dedup_key"] == KEY
    deliver(store, settings)
    assert double.open(KEY) is not None


def test_a_wrong_key_is_parked_in_sight_and_retried_with_the_right_one(
    store: Store, settings: IncidentSettings, double: PagerDutyDouble
) -> None:
    wrong = pagerduty(double.url, KEY="f" * 32)
    Reporter(store, wrong).finished(result())
    deliver(store, wrong)
    failed = list_incidents(store, wrong).failed
    assert [row.kind for row in failed] == ["change", "trigger"]
    assert all("belongs to no integration" in row.last_error for row in failed)
    assert retry(store, settings, [row.number for row in failed if row.kind == "trigger"]) == 1
    assert double.open(KEY) is not None
    assert retry(store, settings) == 1
    assert store.outbox.messages([MessageState.FAILED, MessageState.PENDING]) == []


def test_without_a_network_it_waits_in_the_outbox(store: Store) -> None:
    away = pagerduty("http://127.0.0.1:9")
    Reporter(store, away).finished(result())
    deliver(store, away)
    waiting = list_incidents(store, away).waiting
    assert all("PagerDuty cannot be reached" in row.last_error for row in waiting)


RULES = {"testbed": Escalation(unacknowledged=Duration.parse("4h"))}


def test_neglect_is_escalated_once(store: Store, settings: IncidentSettings) -> None:
    Reporter(store, settings).finished(result())
    later = datetime.now(UTC) + timedelta(hours=5)
    assert escalate_neglected(store, RULES, KEPT, lambda _: False, datetime.now(UTC)) == 0
    assert escalate_neglected(store, {}, KEPT, lambda _: False, later) == 0
    assert escalate_neglected(store, RULES, KEPT, lambda _: True, later) == 0
    assert escalate_neglected(store, RULES, KEPT, lambda _: False, later) == 1
    assert escalate_neglected(store, RULES, KEPT, lambda _: False, later) == 0
    assert list_incidents(store, settings).incidents[0].severity == "critical"


def test_what_cannot_be_looked_up_counts_as_neglected(
    store: Store, settings: IncidentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(key: str) -> bool | None:
        raise TryLater("HTTP 500")

    Reporter(store, settings).finished(result())
    later = datetime.now(UTC) + timedelta(hours=5)
    assert escalate_neglected(store, RULES, KEPT, unreachable, later) == 1
    assert "cannot be looked up" in caplog.text
