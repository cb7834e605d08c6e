"""What a watch over costs tells: every line of the table, each thing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from tests.support.sinks import KEPT

from seatrial.incidents.costs import CostNews, on_watched
from seatrial.incidents.event import IncidentEvent
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context
from seatrial.store import OutboxMessage

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
CONTEXT = Context(routes=KEPT, reproduce="seatrial cost watch bill.csv")
MONDAY = date(2026, 2, 23)


def news(anomalies: int = 0, unknown: int = 0, first: date = MONDAY) -> CostNews:
    def days(count: int, what: str) -> dict[date, str]:
        return {day: f"{day}: {what}" for day in (first + timedelta(days=number) for number in range(count))}

    return CostNews(
        "bill", "billing", date(2026, 2, 27), days(anomalies, "twice as much"), days(unknown, "nothing")
    )


def told(
    what: CostNews, anomaly: IncidentHistory | None = None, unknown: IncidentHistory | None = None
) -> list[OutboxMessage]:
    return on_watched(what, NOW, anomaly or IncidentHistory(), unknown or IncidentHistory(), CONTEXT)


def open_after(messages: list[OutboxMessage]) -> IncidentHistory:
    return IncidentHistory(1, {"pagerduty": NOW}, IncidentEvent.from_json(messages[0].body))


def test_an_anomaly_is_an_incident_of_its_series() -> None:
    (message,) = told(news(anomalies=2))
    event = IncidentEvent.from_json(message.body)
    assert (event.dedup_key, event.severity, event.kind) == ("seatrial/billing/cost.bill", "error", "trigger")
    assert event.summary == "costs of bill: 2026-02-23: twice as much (and 1 more)"
    assert event.details["reproduce"] == "seatrial cost watch bill.csv"


def test_missing_days_are_another_incident_and_a_warning() -> None:
    (message,) = told(news(unknown=1))
    event = IncidentEvent.from_json(message.body)
    assert (event.dedup_key, event.severity) == ("seatrial/billing/cost.bill.unknown", "warning")
    assert len(told(news(anomalies=1, unknown=1))) == 2


def test_what_goes_on_is_told_once_and_what_is_new_again() -> None:
    history = open_after(told(news(anomalies=2)))
    assert told(news(anomalies=2), history) == []
    assert told(news(anomalies=5), history) == []  # the days that follow
    assert (
        told(news(anomalies=1, first=MONDAY + timedelta(days=1)), history) == []
    )  # the first is out of sight
    later = told(news(anomalies=1, first=MONDAY + timedelta(days=3)), history)
    assert [each.kind for each in later] == ["trigger"]
    assert later[0].id != told(news(anomalies=2))[0].id


def test_the_same_day_is_told_again_when_it_comes_back_after_it_was_over() -> None:
    """A bill may be corrected twice between two days. Two watches that know the same still say it once."""
    first = told(news(anomalies=1))
    over = IncidentHistory(closed=NOW)
    again = told(news(anomalies=1), over)
    assert [each.kind for each in again] == ["trigger"]
    assert again[0].id != first[0].id
    assert [each.id for each in told(news(anomalies=1), over)] == [each.id for each in again]
    ends = [
        told(news(), history)[0].id
        for history in (open_after(first), replace(open_after(again), closed=NOW + timedelta(hours=1)))
    ]
    assert len(set(ends)) == 2


def test_the_end_is_told_where_it_is_open() -> None:
    assert told(news()) == []
    (message,) = told(news(), open_after(told(news(anomalies=1))))
    assert (message.kind, message.sink) == ("resolve", "pagerduty")
    assert IncidentEvent.from_json(message.body).summary == "costs of bill: as expected again"
