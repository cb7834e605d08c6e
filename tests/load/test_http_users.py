"""Locust's own user classes, driven by arrivals."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, User, constant, task
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.exception import StopUser
from tests.support.driven import drive

from seatrial.load import OpenLoopUser, standby
from seatrial.load.client import Client
from seatrial.load.fast_client import FastClient


def made_of(base: Any, **members: Any) -> Any:
    """A user class."""
    return type(base)("Visitor", (base,), {"host": None, **members})


@task
def plain(user: Any) -> None:
    user.client.get("/plain")


@pytest.mark.parametrize(
    ("base", "client"), [(HttpUser, Client), (FastHttpUser, FastClient), (OpenLoopUser, Client)]
)
def test_users_have_our_client_from_the_beginning(
    base: Any, client: type, http_server: Any, tmp_path: Path
) -> None:
    seen: list[type] = []

    def __init__(self: Any, *arguments: Any) -> None:  # noqa: N807  # as scenarios write it
        base.__init__(self, *arguments)
        seen.append(type(self.client))
        self.client.headers["X-Id"] = "7"

    driven = drive(
        made_of(base, __init__=__init__, plain=plain, host=http_server.url), tmp_path, host=http_server.url
    )
    assert set(seen) == {client}
    assert driven.names() == ["/plain"] * 20
    assert driven.log.ok.all()
    assert {request.headers["x-id"] for request in http_server.requests} == {"7"}
    assert [told["name"] for told in driven.events] == ["/plain"] * 20


def test_afterwards_and_elsewhere_users_have_the_sessions_of_locust(http_server: Any, tmp_path: Path) -> None:
    other = made_of(HttpUser, plain=plain, host=http_server.url)
    other.__name__ = "Other"
    kinds: list[type] = []

    @task
    def look(user: Any) -> None:
        user.client.get("/plain")
        kinds.append(type(other(user.environment).client))

    drive(made_of(HttpUser, look=look, host=http_server.url), tmp_path, host=http_server.url, duration="20ms")
    fast = made_of(FastHttpUser, plain=plain, host=http_server.url)
    assert set(kinds) == {HttpSession}
    assert type(other(Environment()).client) is HttpSession
    assert type(fast(Environment()).client) is FastHttpSession


def test_what_a_class_says_about_its_client(http_server: Any, tmp_path: Path) -> None:
    clients: list[Any] = []
    settings = {
        "default_headers": {"X-Id": "1"},
        "max_redirects": 2,
        "network_timeout": 0.5,
        "insecure": False,
    }
    visitor = made_of(
        FastHttpUser,
        host=http_server.url,
        on_start=lambda user: clients.append(user.client),
        circle=task(lambda user: user.client.get("/circle")),
        **settings,
    )
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms")
    assert set(driven.errors()) == {"too many redirects"}
    assert sum(request.path == "/circle" for request in http_server.requests) == 3 * len(driven.log)
    assert (clients[0].verify, clients[0].headers["x-id"], clients[0]._allowed_s(None)) == (True, "1", 0.5)


def test_a_journey_is_one_arrival_with_its_waits(http_server: Any, tmp_path: Path) -> None:
    class Buying(SequentialTaskSet):
        def on_start(self) -> None:
            self.client.get("/plain", name="login")

        @task
        def look(self) -> None:
            self.client.get("/plain", name="look")

        @task
        def pay(self) -> None:
            self.client.get("/plain", name="pay")

    visitor = made_of(HttpUser, tasks=[Buying], wait_time=constant(0.03), host=http_server.url)
    all_asked = lambda: len(http_server.requests) == 12  # noqa: E731
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms", until=all_asked)
    names = driven.names()
    assert (names.count("login"), names.count("look"), names.count("pay")) == (4, 4, 4)
    logins = driven.log[driven.log.name.equals("login")]
    assert np.allclose(np.sort(logins.intended), np.arange(4) / 200)
    looks, pays = (np.sort(driven.log[driven.log.name.equals(name)].intended) for name in ("look", "pay"))
    assert ((pays - looks) >= 0.03).all()
    assert driven.scenario.arrivals == 4


def test_a_journey_takes_no_further_step_when_the_test_ends(http_server: Any, tmp_path: Path) -> None:
    class Buying(SequentialTaskSet):
        tasks = [plain, plain]  # noqa: RUF012

    stopped: list[float] = []
    visitor = made_of(
        HttpUser,
        tasks=[Buying],
        wait_time=constant(60),
        host=http_server.url,
        on_stop=lambda _: stopped.append(time.monotonic()),
    )
    began_s = time.monotonic()
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms")
    assert time.monotonic() - began_s < 30, "nobody is waited for who only waits himself"
    assert len(driven.log) == 4
    assert len(stopped) == 4
    assert driven.scenario.errors == ()


def test_a_user_who_stops_itself_retires_with_its_task_sets(http_server: Any, tmp_path: Path) -> None:
    said: list[str] = []

    class Reading(TaskSet):
        @task
        def read(self) -> None:
            self.client.get("/plain")
            raise StopUser

        def on_stop(self) -> None:
            said.append("set")

    visitor = made_of(HttpUser, tasks=[Reading], host=http_server.url, on_stop=lambda _: said.append("user"))
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms")
    assert said == ["set", "user"] * 4
    assert driven.log.ok.all()


def test_what_is_not_offered_is_a_mistake_that_is_told_in_a_line(
    http_server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @task
    def ask(user: Any) -> None:
        user.client.get("/plain", proxies={"http": "http://127.0.0.1:1"})

    visitor = made_of(HttpUser, ask=ask, host=http_server.url)
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms")
    assert set(driven.errors()) == {"dropped: the scenario failed: NotOffered"}
    (error,) = driven.scenario.errors
    assert error.error.startswith(
        "NotOffered: proxies= is not offered here; the nearest is the proxy's own address"
    )
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.exc_info is None
    assert line.getMessage().startswith(f"{error.place}: proxies= is not offered here")


@pytest.mark.parametrize(("path", "counted"), [("/unavailable", 0), ("/silent-close", 0), ("/plain", 4)])
def test_what_a_task_stumbles_over_after_a_failed_request_is_no_mistake_of_its_own(
    http_server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, counted: int
) -> None:
    @task
    def log_in(user: Any) -> None:
        user.client.post(path).json()["token"]

    visitor = made_of(HttpUser, log_in=log_in, host=http_server.url)
    driven = drive(visitor, tmp_path, host=http_server.url, duration="20ms")
    assert len(driven.log) == 4
    assert driven.scenario.failed == counted
    assert ("JSONDecodeError after a request that failed (told once)" in caplog.text) == (not counted)


def test_classes_get_arrivals_by_their_weight(http_server: Any, tmp_path: Path) -> None:
    @task
    def other(user: Any) -> None:
        user.client.get("/plain", name="other")

    often = made_of(HttpUser, plain=plain, weight=9, host=http_server.url)
    seldom = made_of(FastHttpUser, other=other, weight=1, host=http_server.url)
    seldom.__name__ = "Seldom"
    names = drive([often, seldom], tmp_path, host=http_server.url, duration="500ms", rate="400/s").names()
    assert len(names) == 200
    assert 5 <= names.count("other") <= 45


def test_whom_locust_spawns_is_the_first_to_be_given_an_arrival(http_server: Any, tmp_path: Path) -> None:
    class Group:
        def spawn(self, *_: Any) -> str:
            return "greenlet"

    welcomed: list[User] = []
    visitor = made_of(HttpUser, plain=plain, host=http_server.url)
    let_go = standby.hold([visitor], welcomed.append)
    user = visitor(Environment())
    assert user.start(Group()) == user.greenlet == "greenlet"
    assert welcomed == [user]
    let_go()
    let_go()
    assert visitor.start is User.start
