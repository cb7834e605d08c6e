"""Rows from findings: nothing averages an unknown away, and nothing that expired or was deleted passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.matrix import Finding, Kind, Matrix, RowVerdict, judge
from seatrial.model.exitcodes import ExitCode
from seatrial.model.readiness import Evidence, Readiness, Row
from seatrial.model.verdict import Verdict

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SPEC = Evidence(attestation="it was done")
GOOD = Finding(
    "rollback", Kind.MEASURED, Verdict.PASS, at=NOW - timedelta(days=3), expires_at=NOW + timedelta(days=30)
)
FAILED = replace(GOOD, verdict=Verdict.FAIL, reason="7.6 s > 5 s")
UNKNOWN = replace(GOOD, verdict=Verdict.UNKNOWN, reason="the generator was late")
EXPIRED = replace(GOOD, expires_at=NOW)
DELETED = replace(GOOD, gone="its evidence was deleted")


def matrix_of(*findings: Finding, evidence: int | None = None, risk: str = "medium") -> Matrix:
    count = len(findings) if evidence is None else evidence
    row = Row.model_validate(
        {"id": "R", "requirement": "it holds", "risk": risk, "evidence": (SPEC,) * count}
    )
    return judge(Readiness(readiness="r", rows=(row,)), "0" * 64, {"R": findings}, NOW)


@pytest.mark.parametrize(
    ("findings", "verdict", "reason"),
    [
        ((GOOD,), "pass", ""),
        ((GOOD, GOOD), "pass", ""),
        ((), "unknown", "nothing counts as evidence"),
        ((GOOD, UNKNOWN), "unknown", "the generator was late"),
        ((GOOD, EXPIRED), "stale", "expired on 2026-11-29"),
        ((GOOD, DELETED), "stale", "deleted"),
        ((EXPIRED, UNKNOWN), "unknown", "late"),
        ((UNKNOWN, FAILED, EXPIRED), "fail", "7.6 s"),
        ((replace(FAILED, expires_at=NOW),), "fail", "7.6 s"),
        ((replace(GOOD, at=None),), "unknown", "nobody knows when"),
        ((replace(GOOD, at=NOW + timedelta(days=1)),), "unknown", "is to come"),
    ],
)
def test_the_worst_finding_decides(findings: tuple[Finding, ...], verdict: str, reason: str) -> None:
    row = matrix_of(*findings).rows[0]
    assert row.verdict == verdict
    assert reason in row.reason


def test_evidence_that_nothing_was_found_for_is_unknown() -> None:
    assert matrix_of(GOOD, evidence=2).rows[0].verdict is RowVerdict.UNKNOWN


@given(st.lists(st.sampled_from([GOOD, FAILED, UNKNOWN, EXPIRED, DELETED]), max_size=6))
def test_only_good_and_fresh_evidence_alone_makes_a_pass(findings: list[Finding]) -> None:
    matrix = matrix_of(*findings)
    passes = matrix.rows[0].verdict is RowVerdict.PASS
    assert passes == (bool(findings) and all(each == GOOD for each in findings))
    assert matrix.exit_code == (
        ExitCode.FAIL if FAILED in findings else ExitCode.PASS if passes else ExitCode.UNKNOWN
    )


@pytest.mark.parametrize("kind", [Kind.ATTESTED, Kind.IMPORTED])
def test_what_nobody_measured_is_not_counted_as_measured(kind: Kind) -> None:
    assert matrix_of(GOOD).measured == 1
    assert matrix_of(GOOD, replace(GOOD, kind=kind)).measured == 0


def test_a_high_risk_blocks_until_it_passes() -> None:
    assert matrix_of(GOOD, risk="high").blockers == ()
    assert matrix_of(EXPIRED, risk="medium").blockers == ()
    for findings in ((EXPIRED,), (UNKNOWN,), (FAILED,), ()):
        assert [row.id for row in matrix_of(*findings, risk="high").blockers] == ["R"]
