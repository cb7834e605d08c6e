"""Whatever a monitoring answers, the recorder `alerts` has it, or says in our words why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.answers import BODIES
from tests.support.liar import Liar
from tests.support.listeners import http
from tests.support.pagerduty_double import ROUTING_KEY, TOKEN, PagerDutyDouble

from seatrial.drivers.prometheus import PrometheusBinding
from seatrial.drivers.prometheus_alerts import PrometheusAlerts
from seatrial.lookups.alerts import Alerts
from seatrial.lookups.recorder import RunFacts
from seatrial.model.alerts import AlertsSeen, Evaluation
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.model.role import Role

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DATE = "Date: Sun, 01 Mar 2026 02:30:07 GMT"


def role(driver: str, **parameters: Any) -> Role:
    return Role("alerts", driver, parameters, ("127.0.0.1",), ".")


def seen(asked: Role) -> AlertsSeen:
    (looker,) = Alerts().lookers(asked).values()
    try:
        return looker.seen()
    finally:
        looker.close()


def prometheus(liar: Liar, alerts: list[Any], groups: list[Any]) -> Role:
    said = {"alerts": {"alerts": alerts}, "rules": {"groups": groups}}
    liar.says = lambda path: http(
        json.dumps({"status": "success", "data": said["rules" if "/rules" in path else "alerts"]}).encode(), "200 OK", DATE
    )  # fmt: skip
    return role("prometheus", url=liar.url)


def group(last: str, health: str = "ok") -> dict[str, Any]:
    rule = {"name": "Down", "health": health, "lastError": "no such metric", "labels": {"severity": "page"}}
    return {"name": "g", "file": "f", "interval": 1, "lastEvaluation": last, "rules": [rule]}


def test_prometheus_tells_of_what_fires_and_of_its_rules(liar: Liar) -> None:
    firing = {"labels": {"alertname": "Down", "member": "db-1"}, "state": "firing",
              "activeAt": "2026-03-01T02:30:01.123456789Z"}  # fmt: skip
    asked = prometheus(liar, [firing, {**firing, "state": "pending"}], [group("2026-03-01T02:30:00Z", "err")])
    found = seen(asked)
    (alert,) = found.firing
    assert (alert.name, alert.labels, alert.since_epoch_s) == ("Down", {"member": "db-1"}, 1772332201.123456)
    assert found.rules == {"Down": "no such metric"}
    assert found.labels == {"Down": ({"severity": "page"},)}
    assert found.clock_epoch_s == 1772332207
    assert found.evaluations == {"f g": Evaluation("2026-03-01T02:30:00Z", 1.0, frozenset({"Down"}))}


def test_a_group_whose_evaluations_do_not_move_on_is_not_evaluated(liar: Liar) -> None:
    now_s = 0.0
    asked = prometheus(liar, [], [group("2026-03-01T02:30:00Z")])
    looker = PrometheusAlerts(asked, asked.bound_to(PrometheusBinding), clock=lambda: now_s)
    assert looker.seen().rules == {"Down": ""}
    now_s = 8.0
    assert looker.seen().rules == {"Down": "not evaluated for 8 s"}
    prometheus(liar, [], [group("2026-03-01T02:30:09Z")])
    now_s = 14.0
    assert looker.seen().rules == {"Down": ""}
    looker.close()


def test_alertmanager_tells_of_what_reached_it(liar: Liar) -> None:
    alert = {
        "labels": {"alertname": "Down"},
        "startsAt": "2026-03-01T02:30:01.000Z",
        "status": {"state": "active"},
    }
    asked: list[str] = []

    def says(path: str) -> bytes:
        asked.append(path)
        return http(json.dumps([alert]).encode(), "200 OK", DATE)

    liar.says = says
    found = seen(role("alertmanager", url=liar.url))
    assert [(each.name, each.since_epoch_s) for each in found.firing] == [
        ("Down", None)
    ]  # of another's clock
    assert found.rules is None
    assert "silenced=false" in asked[0]


def test_pagerduty_tells_whom_it_called_until_that_is_resolved() -> None:
    with PagerDutyDouble() as double:
        asked = role("pagerduty", url=double.url, token=TOKEN, services=["P1A2B3C"])
        assert seen(asked).firing == ()
        event = {"routing_key": ROUTING_KEY, "event_action": "trigger", "dedup_key": "k", "payload": {
            "summary": "db-1 does not run", "source": "shop", "severity": "critical",
            "custom_details": {"alertname": "Down", "member": "db-1"}}}  # fmt: skip
        assert double.enqueue(event)[0] == 202
        (alert,) = seen(asked).firing
        assert (alert.name, alert.labels["member"], alert.labels["service"]) == ("Down", "db-1", "shop")
        assert alert.since_epoch_s is not None
        double.enqueue({**event, "event_action": "resolve"})
        assert seen(asked).firing == ()
        with pytest.raises(Unavailable, match="HTTP 401"):
            seen(role("pagerduty", url=double.url, token="another"))


def test_more_incidents_than_pagerduty_tells_at_once_are_no_answer(liar: Liar) -> None:
    liar.says = http(json.dumps({"incidents": [{"title": "Down"}], "more": True}).encode(), "200 OK", DATE)
    with pytest.raises(Unavailable, match="more than 100 incidents are open"):
        seen(role("pagerduty", url=liar.url, token=TOKEN))


@FEW
@given(body=BODIES, status=st.sampled_from(["200 OK", "404 Not Found", "500 Oh"]))
def test_whatever_is_answered(liar: Liar, body: bytes, status: str) -> None:
    liar.says = http(body, status)
    for asked in (
        role("prometheus", url=liar.url),
        role("alertmanager", url=liar.url),
        role("pagerduty", url=liar.url, token="t"),
    ):
        try:
            found = seen(asked)
        except SeatrialError as error:
            assert "alerts" in str(error)
        else:
            json.dumps([dict(each.labels) for each in found.firing])


def test_a_role_that_cannot_be_asked_is_refused_with_those_that_can() -> None:
    with pytest.raises(
        BadInput, match="bound to driver 'redis', not to alertmanager or pagerduty or prometheus"
    ):
        Alerts().fit(role("redis", url="redis://127.0.0.1"))


def test_what_was_seen_is_kept_with_its_instants(liar: Liar) -> None:
    firing = {"labels": {"alertname": "Down"}, "state": "firing", "activeAt": "never"}
    asked = prometheus(liar, [firing], [group("2026-03-01T02:30:00Z", "err")])

    kept = json.loads(Alerts().evidence(Alerts().record(asked, RunFacts([], Path("unused")))))
    (look,) = kept["alerts"]
    assert look["firing"] == [{"name": "Down", "labels": {}, "since_epoch_s": None}]
    assert look["not_evaluated"] == {"Down": "no such metric"}
