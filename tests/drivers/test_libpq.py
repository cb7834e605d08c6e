"""libpq connects where it is told to, and it is told allowed addresses only."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from seatrial.drivers import reach
from seatrial.drivers.database import engine_of
from seatrial.drivers.libpq import connect, parameters_of
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role

DNS = {"db.internal": ["10.0.0.1", "10.0.0.2"], "evil.example": ["192.0.2.1"], "gone.internal": []}
ALLOW = AllowList.of(["10.0.0.0/8", "127.0.0.1"])


@pytest.fixture(autouse=True)
def _dns(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reach.addresses_of
    monkeypatch.setattr(reach, "addresses_of", lambda host: DNS[host] if host in DNS else found(host))


def places(url: str) -> tuple[str, str, str]:
    parameters = parameters_of(ALLOW, "db", url)
    return parameters["host"], parameters["hostaddr"], parameters["port"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://127.0.0.1:5433/shop", ("127.0.0.1", "127.0.0.1", "5433")),
        ("postgresql://2130706433/shop", ("2130706433", "127.0.0.1", "")),
        ("postgresql://db.internal/shop", ("db.internal,db.internal", "10.0.0.1,10.0.0.2", ",")),
        ("postgresql://gone.internal:1,127.0.0.1:2/shop", ("127.0.0.1", "127.0.0.1", "2")),
        ("host=db.internal hostaddr=10.0.0.9", ("db.internal", "10.0.0.9", "")),
        ("postgresql:///shop?host=/run/postgresql", ("/run/postgresql", "", "")),
        ("postgresql:///shop", ("", "", "")),
    ],
)
def test_each_host_has_the_addresses_of_this_moment(url: str, expected: tuple[str, str, str]) -> None:
    assert places(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://evil.example/shop",
        "postgresql://127.0.0.2/shop",
        "postgresql://2130706434/shop",
        "postgresql://127.0.0.1,evil.example/shop",
        "postgresql://127.0.0.1/shop?hostaddr=192.0.2.1",
        "postgresql:///shop?host=192.0.2.1",
        "postgresql://127.0.0.1@192.0.2.1/shop",
    ],
)
def test_a_host_that_is_not_allowed_is_refused_wherever_it_stands(url: str) -> None:
    with pytest.raises(BadInput, match=r"db: the host .* is not in the target's allow list"):
        parameters_of(ALLOW, "db", url)


@pytest.mark.parametrize("url", ["postgresql:///?service=shop", "mysql://127.0.0.1/", "nonsense", "host='"])
def test_what_says_no_place_of_a_server_is_told(url: str) -> None:
    with pytest.raises(BadInput, match="db: url: "):
        parameters_of(ALLOW, "db", url)


def test_a_host_without_an_address_is_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"gone\.internal has no address"):
        parameters_of(ALLOW, "db", "postgresql://gone.internal/shop")


def test_the_environment_leads_nobody_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    role = Role("db", "postgres", {"url": "postgresql://127.0.0.1:1/shop"}, ("127.0.0.1",), ".")
    with pytest.raises(Unavailable, match=r'"127\.0\.0\.1", port 1 failed: Connection refused'):
        connect(role, "test")
    here = Role("db", "postgres", {"url": "postgresql:///shop?port=1"}, ("127.0.0.1",), ".")
    with pytest.raises(Unavailable, match=r"on socket .*\.s\.PGSQL\.1"):
        connect(here, "test")


def test_a_look_up_is_held_to_the_same_at_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []

    def connect_to(*_: object, **parameters: Any) -> psycopg.Connection:
        told.append(parameters)
        raise psycopg.OperationalError("not now")

    monkeypatch.setattr(psycopg, "connect", connect_to)
    engine = engine_of(Role("db", "sql", {}, ALLOW.entries, "."), "postgresql://db.internal:5433/shop", 2.0)
    for addresses in (["10.0.0.1"], ["10.0.0.7"]):
        monkeypatch.setitem(DNS, "db.internal", addresses)
        with pytest.raises(sa.exc.OperationalError):
            engine.connect()
    assert [(each["host"], each["hostaddr"], each["port"]) for each in told] == [
        ("db.internal", "10.0.0.1", "5433"),
        ("db.internal", "10.0.0.7", "5433"),
    ]
    monkeypatch.setitem(DNS, "db.internal", ["192.0.2.1"])
    with pytest.raises(BadInput, match="allow list"):
        engine.connect()
