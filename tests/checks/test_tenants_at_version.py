"""All tenants at one version, and none half-way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.rows import log_of

from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.verdict import Verdict

OLD, NEW = ["1"], ["1", "2"]
STEP = StepRecord("migrate", "action", "tenants.migrate", "tenants", 1.0, before_s=1.0, injected_s=2.0)
BEGUN = {"event": "begun", "at": 101.0, "goal": NEW, "looks_every_s": 0.05}


def schema(applied: list[str], shape: str = "", half_way: str = "", lacking: bool = False) -> dict[str, Any]:
    return {
        "schema": "s", "applied": applied, "half_way": half_way, "shape": shape or "-".join(applied),
        "lacking": lacking,
    }  # fmt: skip


def became(
    tenant: str, result: str = "done", said: str = "", *, changed: bool = True
) -> list[dict[str, Any]]:
    ended = {"event": "ended", "at": 103.0, "tenant": tenant, "after": "2", "changed": changed}
    return [
        {"event": "started", "at": 101.5, "tenant": tenant, "order": 1, "before": "1"},
        {**ended, "result": result, "said": said},
    ]


def judged(
    tenants: dict[str, Any],
    record: list[dict[str, Any]],
    *,
    migrated: bool = True,
    cut: str = "",
    **more: Any,
) -> CheckResult:
    check = build("tenants-at-version", more)
    told = Recorded(json.dumps({"tenants": tenants, "record": record}).encode())
    step = replace(STEP, before_s=None, injected_s=None, error=cut) if cut.startswith("migrate") else STEP
    steps = (step,) if migrated else ()
    recorded: dict[Need[Any], Recorded[Any]] = {check.needs()[0]: told}
    return check.judge(History(log_of([]), steps, 2.0, 20.0, recorded, 100.0, cut))


def test_all_are_migrated() -> None:
    result = judged({"a": schema(NEW), "b": schema(NEW)}, [BEGUN, *became("a"), *became("b")])
    assert result.verdict is Verdict.PASS
    assert result.detail == "2 of 2 tenants at 2, none half-way; 2 migrated in 2.0 s"


def test_who_failed_is_named_with_the_tools_words_even_when_the_run_was_cut_short_by_that() -> None:
    record = [BEGUN, *became("a"), *became("tenant057", "failed", "no room")]
    result = judged({"a": schema(NEW), "tenant057": schema(OLD)}, record, cut="migrate failed")
    assert result.verdict is Verdict.FAIL
    assert result.detail == "1 of 2 tenants at 2; 1 failed: tenant057 (no room)"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (schema(NEW, half_way="2 was begun and not finished"), "c (2 was begun and not finished)"),
        (schema(NEW, shape="other"), "c (made otherwise than the others at 2)"),
    ],
)
def test_one_that_is_half_way_is_named(wrong: dict[str, Any], told: str) -> None:
    record = [BEGUN, *became("a"), *became("b"), *became("c")]
    result = judged({"a": schema(NEW), "b": schema(NEW), "c": wrong}, record)
    assert result.verdict is Verdict.FAIL
    assert told in result.detail


def test_who_is_left_behind_is_named_unless_the_run_ended_before_their_turn() -> None:
    tenants = {"a": schema(NEW), "b": schema(OLD)}
    result = judged(tenants, [BEGUN, *became("a")])
    assert (result.verdict, result.figures["differing"]) == (Verdict.FAIL, 1)
    assert "1 at another version: b (1)" in result.detail
    assert judged(tenants, [BEGUN, *became("a")], cut="Ctrl-C").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("tenants", "record"),
    [
        ({}, [BEGUN]),
        ({"a": schema(NEW)}, []),
        ({"a": schema(NEW)}, [{**BEGUN, "at": 99.0}]),
        ({"a": schema(NEW)}, [BEGUN]),
        ({"a": schema([])}, [{**BEGUN, "goal": []}, *became("a", changed=False)]),
    ],
    ids=[
        "no tenant",
        "no record",
        "a record of another run",
        "all were there before",
        "a tool that did nothing",
    ],
)
def test_a_migration_that_showed_nothing_is_unknown(
    tenants: dict[str, Any], record: list[dict[str, Any]]
) -> None:
    assert judged(tenants, record).verdict is Verdict.UNKNOWN


def test_without_a_migration_all_must_be_alike_at_whatever_or_at_what_is_said() -> None:
    alike = {"a": schema(OLD), "b": schema(OLD)}
    assert judged(alike, [], migrated=False).verdict is Verdict.PASS
    assert judged(alike, [], migrated=False, version="2").verdict is Verdict.FAIL
    gone = {**alike, "c": schema([], lacking=True)}
    assert "c (no schema)" in judged(gone, [], migrated=False).detail
    nowhere = {name: schema([], lacking=True) for name in "ab"}
    assert judged(nowhere, [], migrated=False).verdict is Verdict.FAIL


def test_what_was_undone_is_judged_as_it_was_when_all_were_through() -> None:
    back = {"a": schema(OLD), "b": schema(OLD)}
    looked = {"event": "looked", "at": 104.0, "tenants": {"a": schema(NEW), "b": schema(NEW)}}
    record = [
        BEGUN,
        *became("a"),
        *became("b"),
        looked,
        {"event": "undone", "at": 110.0, "tenants": ["a", "b"]},
    ]
    assert judged(back, record).verdict is Verdict.PASS
    half = {**back, "b": schema(OLD, half_way="an index")}
    assert judged(half, record).verdict is Verdict.FAIL


def test_what_cannot_be_read_is_unknown() -> None:
    check = build("tenants-at-version", {})
    nothing = History(log_of([]), (), 2.0, 20.0)
    assert check.judge(nothing).verdict is Verdict.UNKNOWN
    spoiled: dict[Need[Any], Recorded[Any]] = {
        check.needs()[0]: Recorded(b'{"tenants": {"a": 1}, "record": []}')
    }
    assert check.judge(replace(nothing, recorded=spoiled)).verdict is Verdict.UNKNOWN
