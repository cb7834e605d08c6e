"""Fences around tenants, and attempts to get past them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.rows import log_of

from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict


def table(schema: str, name: str = "orders", **fence: Any) -> dict[str, Any]:
    return {
        "tenant": schema,
        "schema": schema,
        "table": name,
        "enabled": True,
        "forced": True,
        "policies": 1,
        **fence,
    }


def attempt(via: str = "sql", outcome: str = "refused", **more: Any) -> dict[str, Any]:
    return {
        "via": via,
        "kind": "read",
        "by": "a",
        "of": "b",
        "what": "b.orders",
        "outcome": outcome,
        "said": "",
        **more,
    }


FENCED = [table("a"), table("b")]
BOTH = [attempt(), attempt("service")]


def judged(tables: Any = FENCED, attempts: Any = BOTH, tenants: Any = ("a", "b"), **more: Any) -> CheckResult:
    check = build("tenant-isolation", more)
    told = Recorded(json.dumps({"tenants": tenants, "tables": tables, "attempts": attempts}).encode())
    recorded: dict[Need[Any], Recorded[Any]] = {check.needs()[0]: told}
    return check.judge(History(log_of([]), (), 2.0, 20.0, recorded, 100.0))


def test_attempts_and_leaks_are_counted() -> None:
    result = judged()
    assert result.verdict is Verdict.PASS
    assert result.detail == ("2 tables of 2 tenants; 1 attempts through the service and 1 by SQL, 0 leaks")
    assert (result.figures["attempts_service"], result.figures["attempts_sql"], result.figures["leaks"]) == (
        1,
        1,
        0,
    )


@pytest.mark.parametrize(
    ("fence", "told"),
    [
        ({"enabled": False}, "b.wishes (row-level security is off)"),
        ({"forced": False}, "b.wishes (not forced)"),
        ({"policies": 0}, "b.wishes (no policy)"),
    ],
)
def test_a_table_that_is_not_fenced_is_named(fence: dict[str, Any], told: str) -> None:
    tables = [*FENCED, table("b", "wishes", **fence)]
    result = judged(tables)
    assert result.verdict is Verdict.FAIL
    assert told in result.detail
    assert judged(tables, **{"except": ["wishes"]}).verdict is Verdict.PASS


def test_a_leak_is_told_with_who_got_at_what() -> None:
    result = judged(attempts=[*BOTH, attempt("service", "leaked", said="HTTP 200")])
    assert result.verdict is Verdict.FAIL
    assert "1 got through: read b.orders of b as a by service (HTTP 200)" in result.detail


@pytest.mark.parametrize(
    "recorded",
    [
        {"attempts": []},
        {"attempts": [attempt()]},
        {"attempts": [attempt("service")]},
        {"attempts": [*BOTH, attempt(outcome="undecided")]},
        {"attempts": [attempt("service"), attempt(kind="bypass", of="")]},
        {"attempts": [attempt("service"), attempt(kind="insert")]},
        {"tables": []},
        {"tenants": ["a"]},
    ],
)
def test_what_was_not_tried_passes_nothing(recorded: dict[str, Any]) -> None:
    assert judged(**recorded).verdict is Verdict.UNKNOWN


def test_only_the_ways_that_are_asked_for_must_have_been_tried() -> None:
    assert judged(attempts=[attempt()], through=["sql"]).verdict is Verdict.PASS
