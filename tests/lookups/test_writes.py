"""Writes are looked up in real databases and services, and each stored copy of one is told of."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.support.packages import install

from seatrial import discovery
from seatrial.drivers import http_writes, sql_writes
from seatrial.drivers.stored import Copy
from seatrial.lookups.recorder import RunFacts
from seatrial.lookups.writes import Writes
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.model.rowkeys import Keys
from seatrial.model.writekeys import WriteKeys


def look_up(role: Role, *keys: str) -> tuple[Copy, ...]:
    return tuple(Writes().record(role, RunFacts(keys, Path("unused"))))


def role(**parameters: object) -> Role:
    driver = parameters.pop("driver")
    return Role("writes", str(driver), parameters, ("127.0.0.0/8",), ".")


def test_sql_finds_each_copy(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "shop.sqlite")
    database.execute("CREATE TABLE orders (key TEXT, tenant TEXT)")
    database.executemany(
        "INSERT INTO orders VALUES (?, ?)", [("a", "t1"), ("b", "t1"), ("b", "t1"), ("x", "t2")]
    )
    database.commit()
    database.close()
    asked = role(
        driver="sql",
        url=f"sqlite:///{tmp_path / 'shop.sqlite'}",
        query="SELECT key, tenant FROM orders WHERE key IN :ids",
    )
    assert sorted(look_up(asked, "a t1", "b t1", "c t1")) == [("a", "t1"), ("b", "t1"), ("b", "t1")]


def test_an_id_of_which_two_things_were_said_is_asked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for twice, its one copy would count as two."""
    monkeypatch.setattr(sql_writes, "_IDS_A_QUERY", 2)
    database = sqlite3.connect(tmp_path / "shop.sqlite")
    database.execute("CREATE TABLE orders (key TEXT)")
    database.executemany("INSERT INTO orders VALUES (?)", [("a",), ("b",), ("c",)])
    database.commit()
    database.close()
    asked = role(
        driver="sql",
        url=f"sqlite:///{tmp_path / 'shop.sqlite'}",
        query="SELECT key FROM orders WHERE key IN :ids",
    )
    keys = WriteKeys(Keys.of(["a bolt", "b bolt", "c bolt", "b nut", "a bolt"])).each_once()
    assert list(keys) == ["a bolt", "b bolt", "b nut", "c bolt"]
    assert look_up(asked, *keys) == (("a", None), ("b", None), ("c", None))


def test_http_asks_for_many_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: object, __: str, ___: object, key: str) -> Copy | None:
        return None if key == "w3" else (key, None)

    monkeypatch.setattr(http_writes, "_KEYS_A_ROUND", 2)
    monkeypatch.setattr(http_writes, "_ask_one", answer)
    asked = role(driver="http", url="http://127.0.0.1:1/{id}")
    held = look_up(asked, *(f"w{number}" for number in range(5)))
    assert held == (("w0", None), ("w1", None), ("w2", None), ("w4", None))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"driver": "sql", "url": "sqlite://", "query": "SELECT 1"}, BadInput),
        ({"driver": "sql", "url": "nonsense", "query": "SELECT :ids"}, BadInput),
        ({"driver": "sql", "url": "postgresql://10.1.1.1/x", "query": "SELECT :ids"}, BadInput),
        (
            {"driver": "sql", "url": "sqlite://", "query": "SELECT nothing FROM nowhere WHERE x IN :ids"},
            Unavailable,
        ),
        ({"driver": "http", "url": "http://127.0.0.1:1/{id}"}, Unavailable),
        ({"driver": "http", "url": "http://127.0.0.1:1/{nonsense}"}, BadInput),
        ({"driver": "redis", "url": "redis://127.0.0.1"}, BadInput),
    ],
)
def test_what_cannot_be_asked_says_why(parameters: dict[str, object], expected: type[Exception]) -> None:
    with pytest.raises(expected, match=r"writes|cannot be looked up"):
        look_up(role(**parameters), "a t1")


OWN = '''
from typing import ClassVar
from pydantic import Field
from seatrial.drivers.binding import Binding

class ShelfBinding(Binding):
    """A shelf."""

    driver: ClassVar[str] = "shelf"
    books: tuple[str, ...] = Field(default=(), examples=[["a"]])
    """What stands on it."""

    def stored_writes(self, role):
        return self

    def copies(self, keys):
        return [(book, None) for book in self.books if book in keys]
'''


def test_a_driver_of_somebody_elses_that_can_be_asked_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        tmp_path,
        "library",
        {"library_shelf": OWN},
        {"seatrial.drivers": {"shelf": "library_shelf:ShelfBinding"}},
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    discovery.forget_packages()
    role = Role("writes", "shelf", {"books": ["a", "c"]}, (), str(tmp_path))
    assert look_up(role, "a", "b") == (("a", None),)
