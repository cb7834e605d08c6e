"""What is said of the failures of other people's clients."""

from __future__ import annotations

import errno
from typing import Any

import psycopg.errors
import pytest
import redis.exceptions
import tests.support.unpatched_locust  # noqa: F401  # before Locust
from gevent import Timeout
from locust.exception import LocustError, ResponseError

from seatrial.load import foreign
from seatrial.load.failure import Unanswered
from seatrial.load.not_offered import NotOffered


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


class RpcError(Exception):
    """As gRPC's: the code and the details are calls."""

    def __init__(self, name: str, details: str) -> None:
        self._code: Any = type("StatusCode", (), {"name": name})()
        self._details = details

    def code(self) -> Any:
        return self._code

    def details(self) -> str:
        return self._details


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
NO_FILES = OSError(errno.EMFILE, "Too many open files")
AT_LIBPQ = psycopg.OperationalError(
    'connection failed: connection to server at "10.0.0.7", port 5432 failed: Connection refused\n\tIs the server…'
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (raised(REFUSED), "connection refused"),
        (raised(redis.exceptions.ConnectionError("Error 111 to 10.0.0.7:6379."), REFUSED), "connection refused"),
        (AT_LIBPQ, "OperationalError: connection refused"),
        (psycopg.errors.AdminShutdown("terminating connection"), "SQLSTATE 57P01: AdminShutdown"),
        (RpcError("UNAVAILABLE", "ipv4:10.0.0.7:50051: Failed to connect: Connection refused (111)"), "gRPC UNAVAILABLE: connection refused"),
        (RpcError("INTERNAL", "no shard at 10.0.0.7:50051"), "gRPC INTERNAL: no shard at …"),
        (RuntimeError("peer [::1]:77 said no\nand more"), "RuntimeError: peer … said no"),
        (RuntimeError(), "RuntimeError"),
        (TimeoutError(), "TimeoutError"),
        (Timeout(3), "timed out"),
        (raised(NO_FILES), "own: too many open files"),
        (raised(redis.exceptions.ConnectionError("at last"), NO_FILES), "own: too many open files"),
        ("wrong total", "wrong total"),
        ("own: or not", "said: own: or not"),
        (4, "4"),
        ("x" * 999, "x" * foreign.LONGEST),
        (raised(KeyError("id")), "scenario: KeyError: 'id'"),
        (KeyError("made, not raised"), "KeyError: 'made, not raised'"),
        (raised(ValueError("wrong total")), "ValueError: wrong total"),
    ],
)  # fmt: skip
def test_a_report_in_few_words(error: object, text: str) -> None:
    assert foreign.told(error) == text


@pytest.mark.parametrize(
    "error", [KeyError("id"), AssertionError(), ValueError(), NotOffered("auth="), LocustError()]
)
def test_what_the_scenario_raised_is_no_failure_of_the_service(error: BaseException) -> None:
    assert foreign.is_the_scenarios(error)
    assert foreign.mistaken(error).startswith("scenario: ")


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        EOFError(),
        AT_LIBPQ,
        redis.exceptions.ResponseError("OOM"),
        RpcError("UNAVAILABLE", ""),
        Unanswered("deadline"),
    ],
)
def test_what_a_library_or_the_system_raised_is(error: BaseException) -> None:
    assert not foreign.is_the_scenarios(error)


def test_a_rejection_is_locusts_own_word() -> None:
    assert foreign.told(ResponseError("too few")) == "ResponseError: too few"
