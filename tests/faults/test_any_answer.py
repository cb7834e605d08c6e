"""Whatever an admin API answers, a fault's driver has it or says in our words why it has not."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.answers import BODIES, JSON
from tests.support.liar import Liar
from tests.support.listeners import http

from seatrial.drivers import patroni
from seatrial.faults.database_settings import DatabaseSettings
from seatrial.faults.toxiproxy import Toxiproxy
from seatrial.model.problems import SeatrialError
from seatrial.model.role import Role

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
OBJECTS = JSON.map(
    lambda value: json.dumps({"members": value, "toxics": value, "enabled": True, "pause": value}).encode()
)


def says_why(ask: Callable[[], object]) -> None:
    try:
        ask()
    except SeatrialError as error:
        assert "asked" in str(error)


@FEW
@given(body=BODIES | OBJECTS, status=st.sampled_from(["200 OK", "302 Found", "404 Not Found", "503 Oh"]))
def test_toxiproxy(liar: Liar, body: bytes, status: str) -> None:
    liar.says = http(body, status)
    role = Role("asked", "toxiproxy", {"url": liar.url, "proxy": "p"}, ("127.0.0.1",), ".")
    for fault in (Toxiproxy(toxic="down"), Toxiproxy(toxic="latency")):
        says_why(lambda: fault.undo(fault.prepare(role)))  # noqa: B023  # called at once
        says_why(lambda: fault.healthy(role))  # noqa: B023


@FEW
@given(body=BODIES | OBJECTS, status=st.sampled_from(["200 OK", "302 Found", "503 Oh"]))
def test_patroni(liar: Liar, body: bytes, status: str) -> None:
    liar.says = http(body, status)
    role = Role("asked", "patroni", {"url": liar.url, "members": {}}, ("127.0.0.1",), ".")
    for ask in (patroni.cluster, patroni.leader, patroni.require_whole, patroni.primary):
        says_why(lambda: ask(role))  # noqa: B023  # called at once
    says_why(lambda: DatabaseSettings.model_validate({"set": {"ttl": 30}}).prepare(role))
