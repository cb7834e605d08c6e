"""Failures of the scenario's own code are counted by kind, with their place."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seatrial.load.launch import launch
from seatrial.load.scenario_errors import (
    CONNECTING,
    GREENLET,
    LISTENER,
    LOG,
    ErrorTally,
    LogListener,
    hear_greenlets,
)
from seatrial.load.spool import account_frame, read_account
from seatrial.load.wall import Attempt, HostNotAllowed
from seatrial.model import secrets
from seatrial.model.allow import AllowList
from seatrial.model.scenarioaccount import ScenarioAccount, ScenarioError

from .test_launch import ended, plan


def raised(folder: Path, source: str, name: str = "scenario.py") -> Exception:
    """What calling `task` of a module with this source raises."""
    path = folder / name
    path.write_text(source)
    space: dict[str, Any] = {}
    exec(compile(source, str(path), "exec"), space)  # noqa: S102  # as Locust loads a scenario
    try:
        space["task"]()
    except Exception as error:
        return error
    raise AssertionError("it did not raise")


def test_one_kind_is_one_exception_at_one_place(tmp_path: Path) -> None:
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    source = "def task():\n    deeper()\ndef deeper():\n    {}['nope']\n"
    assert tally.raised(raised(tmp_path, source), "home")
    assert not tally.raised(raised(tmp_path, source), "home")
    assert tally.raised(raised(tmp_path, source.replace("{}['nope']", "1 / 0")), "home")
    tally.arrivals = 5
    assert tally.account() == ScenarioAccount(
        5,
        (
            ScenarioError("KeyError: 'nope'", "scenario.py:4", "home", 2),
            ScenarioError("ZeroDivisionError: division by zero", "scenario.py:4", "home", 1),
        ),
    )
    assert tally.account().failed == 3


def test_errors_are_counted_without_secrets_also_where_they_are_cut_to_their_length(tmp_path: Path) -> None:
    secrets.remember("s3cret-T0ken-that-is-long", "${TOKEN}")
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    tally.raised(
        raised(tmp_path, "def task():\n    raise ValueError('x' * 170 + ' s3cret-T0ken-that-is-long')\n"),
        "home",
    )
    tally.logged("y" * 185 + " s3cret-T0ken-that-is-long\nmore")
    assert {error.error for error in tally.account().errors} == {
        "ValueError: " + "x" * 170 + " ${TOKEN}",
        "y" * 185 + " ${TOKEN}",
    }


def test_the_place_is_in_the_scenario_even_if_a_library_raised(tmp_path: Path) -> None:
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    tally.raised(raised(tmp_path, "import json\ndef task():\n    json.loads('{')\n"), "home")
    assert tally.account().errors[0].place == "scenario.py:3"


def test_a_refused_connection_is_counted_once_whatever_the_scenario_makes_of_it(tmp_path: Path) -> None:
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    attempt = Attempt("evil.example", "192.0.2.1", "scenario.py:7")
    tally.refused(attempt)
    refusal = HostNotAllowed(attempt, AllowList.of(["127.0.0.1"]))
    translated = ConnectionError("cannot connect")
    translated.__context__ = refusal
    for error in (refusal, translated):
        assert not tally.raised(error, "home")
    tally.refused(attempt)
    said = "HostNotAllowed: evil.example (192.0.2.1) is not in the allow list"
    assert tally.account().errors == (ScenarioError(said, "scenario.py:7", CONNECTING, 2),)


def test_code_beside_the_scenario_has_its_own_name(tmp_path: Path) -> None:
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    (tmp_path / "pages").mkdir()
    tally.raised(raised(tmp_path, "def task():\n    1 / 0\n", "pages/home.py"), "home")
    assert tally.account().errors[0].place == "pages/home.py:2"


def test_kinds_are_bounded_and_none_is_lost(tmp_path: Path) -> None:
    tally = ErrorTally("")
    for index in range(200):
        tally.raised(type(f"Error{index}", (Exception,), {})("x"), "home")
    account = tally.account()
    assert account.failed == 200
    assert len(account.errors) == 51


def test_listeners_and_locust_s_own_errors_are_heard_and_the_scenario_s_log_is_not(tmp_path: Path) -> None:
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    listener = LogListener(tally)
    record = logging.LogRecord("root", logging.ERROR, "…/locust/event.py", 1, "Uncaught exception", (), None)
    try:
        raise raised(tmp_path, "def task():\n    1 / 0\n")
    except ZeroDivisionError:
        listener.handle(record)
    listener.handle(
        logging.LogRecord("locust.runners", logging.ERROR, "runners.py", 1, "lost: %s", ("w",), None)
    )
    listener.handle(logging.LogRecord("shop", logging.ERROR, "scenario.py", 1, "out of stock", (), None))
    assert [(error.during, error.error) for error in tally.account().errors] == [
        (LISTENER, "ZeroDivisionError: division by zero"),
        (LOG, "lost: w"),
    ]


def test_greenlets_are_heard_and_whoever_was_told_before_still_is(tmp_path: Path) -> None:
    told: list[object] = []
    hub = SimpleNamespace(handle_error=lambda *what: told.append(what[2]))
    tally = ErrorTally(str(tmp_path / "scenario.py"))
    stop = hear_greenlets(hub, tally)
    error = raised(tmp_path, "def task():\n    1 / 0\n")
    hub.handle_error(None, type(error), error, error.__traceback__)
    stop()
    hub.handle_error(None, type(error), error, error.__traceback__)
    assert told == [error, error]
    (found,) = tally.account().errors
    assert (found.place, found.during, found.count) == ("scenario.py:2", GREENLET, 1)


def test_an_account_survives_the_spool() -> None:
    account = ScenarioAccount(7, (ScenarioError("KeyError: 'é'", "s.py:1", "home", 3),))
    assert read_account(account_frame(account)[9:]) == account


@pytest.mark.e2e
def test_tasks_that_raise_or_send_nothing_are_counted_and_their_requests_are_not_blamed(
    tmp_path: Path, http_server: Any
) -> None:
    scenario = """
from itertools import count
from locust import events, task
from seatrial.load import OpenLoopUser
arrivals, requests = count(), count()
@events.request.add_listener
def listen(**_):
    if next(requests) == 5:
        raise LookupError("listener")
class Visitor(OpenLoopUser):
    @task
    def plain(self):
        number = next(arrivals)
        if number == 10:
            return
        answer = self.client.get("/plain")
        if number > 20:
            answer.json()
"""
    process = ended(launch(plan(tmp_path, http_server.url, scenario, duration_s=0.5)))
    log, account = process.finish(), process.scenario
    assert account.arrivals == 70
    assert len(log) == 69
    assert log.ok.all(), "the service answered every request well"
    assert not np.isnan(log.ended).any()
    by_place = {error.place: error for error in account.errors}
    assert set(by_place) == {"scenario.py:9", "scenario.py:11", "scenario.py:18"}
    assert by_place["scenario.py:9"].error == "LookupError: listener"
    assert by_place["scenario.py:11"].error == "sent no request"
    assert by_place["scenario.py:18"].error.startswith("JSONDecodeError: ")
    assert by_place["scenario.py:18"].count == 70 - 21
    assert account.failed == 2 + 49
