"""Nobody waits long for a lock while tenants are migrated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.rows import log_of

from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.model.result import CheckResult
from seatrial.model.verdict import Verdict

BEGUN = {"event": "begun", "at": 101.0, "goal": [], "looks_every_s": 0.05}
FINISHED = {
    "event": "finished",
    "at": 109.0,
    "failed": [],
    "looks": 160,
    "longest_blind_s": 0.12,
    "trouble": "",
}


def wait(lower_s: float, upper_s: float | None) -> dict[str, Any]:
    return {
        "event": "waited", "at": 103.0, "tenant": "globex", "table": "globex.orders", "mode": "RowExclusiveLock",
        "waiter": {"pid": 7, "user": "globex", "application": "east.blue", "statement": "INSERT"},
        "blocker": {"pid": 8, "user": "postgres", "application": "seatrial migrates x", "statement": "ALTER  TABLE",
                    "holds": "AccessExclusiveLock"},
        "lower_s": lower_s, "upper_s": upper_s,
    }  # fmt: skip


def judged(*record: dict[str, Any], allowed: str = "500ms") -> CheckResult:
    check = build("lock-waits", {"max": allowed})
    told = Recorded(json.dumps({"tenants": {}, "record": record}).encode())
    recorded: dict[Need[Any], Recorded[Any]] = {check.needs()[0]: told}
    return check.judge(History(log_of([]), (), 2.0, 20.0, recorded, 100.0))


def test_the_longest_is_told_with_table_mode_tenant_and_who_was_in_the_way() -> None:
    result = judged(BEGUN, wait(0.1, 0.15), wait(1.9, 1.95), FINISHED)
    assert result.verdict is Verdict.FAIL
    assert "east.blue (pid 7) wanted RowExclusiveLock on globex.orders of tenant globex" in result.detail
    assert "`ALTER TABLE` of seatrial migrates x (pid 8), which holds AccessExclusiveLock" in result.detail
    assert (result.figures["waits"], result.figures["longest_lower_s"]) == (2, 1.9)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ((BEGUN, FINISHED), Verdict.PASS),
        ((BEGUN, wait(0.1, 0.2), FINISHED), Verdict.PASS),
        ((BEGUN, wait(0.48, 0.53), FINISHED), Verdict.UNKNOWN),
        ((BEGUN, wait(0.1, None), FINISHED), Verdict.UNKNOWN),
        ((BEGUN, {**FINISHED, "trouble": "no connection"}), Verdict.UNKNOWN),
        ((BEGUN, wait(0.1, 0.2), {**FINISHED, "trouble": "no connection"}), Verdict.UNKNOWN),
        ((BEGUN, wait(0.9, 1.0), {**FINISHED, "trouble": "no connection"}), Verdict.FAIL),
        ((BEGUN, {**FINISHED, "looks": 2, "longest_blind_s": 3.1}), Verdict.UNKNOWN),
        ((BEGUN, wait(0.1, 0.2), {**FINISHED, "longest_blind_s": 3.1}), Verdict.UNKNOWN),
        ((BEGUN, wait(0.9, 1.0), {**FINISHED, "longest_blind_s": 3.1}), Verdict.FAIL),
        ((BEGUN, BEGUN, FINISHED), Verdict.UNKNOWN),  # the first start was killed
        ((BEGUN,), Verdict.UNKNOWN),
        ((), Verdict.UNKNOWN),
    ],
)
def test_verdicts(record: tuple[dict[str, Any], ...], expected: Verdict) -> None:
    assert judged(*record).verdict is expected


def test_a_limit_below_the_time_between_two_looks_cannot_be_kept() -> None:
    assert judged(BEGUN, FINISHED, allowed="40ms").verdict is Verdict.UNKNOWN
