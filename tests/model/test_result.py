"""A result knows what it has left behind, and a suite how it came out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.results import CRASH, ROLLBACK, result, unverified

from seatrial.model.result import RunResult
from seatrial.model.suiteresult import SuiteResult
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict

PASSED, FAILED, UNKNOWN = (result(verdict) for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN))
LEFT = result(Verdict.FAIL, steps=(unverified(),))


def test_a_fault_that_never_took_effect_is_not_left_behind() -> None:
    never = replace(CRASH, injected_s=None, undone_s=None, verified=None)
    assert result(steps=(never,)).left_behind == ()


def test_a_fault_that_nobody_has_undone_is_left_behind() -> None:
    still_there = replace(CRASH, undone_s=None, verified=None)
    assert result(steps=(CRASH, still_there)).left_behind == (still_there,)


def test_a_fault_whose_injection_failed_and_whose_undo_failed_may_be_there() -> None:
    half = replace(CRASH, before_s=None, injected_s=None, undone_s=None, undo=UndoOutcome.FAILED)
    assert result(steps=(half,)).left_behind == (half,)


def test_what_is_left_is_told_in_the_order_in_which_to_undo_it() -> None:
    first, last = unverified(), replace(unverified(ROLLBACK), before_s=30.0)
    assert result(steps=(first, last)).left_behind == (last, first)


@pytest.mark.parametrize(
    ("runs", "not_run", "reasons", "verdict", "interrupted", "exit_code"),
    [
        ((PASSED, PASSED), (), (), Verdict.PASS, False, 0),
        ((PASSED, FAILED), (), (), Verdict.FAIL, False, 1),
        ((PASSED, UNKNOWN), (), (), Verdict.UNKNOWN, False, 2),
        ((PASSED,), (), ("missing: suite.json",), Verdict.UNKNOWN, False, 2),
        ((PASSED,), ("other",), (), Verdict.UNKNOWN, True, 130),  # nobody but a person leaves one out
        ((PASSED, LEFT), ("other",), (), Verdict.FAIL, False, 1),  # or what was left behind
        ((replace(UNKNOWN, interrupted=True),), (), (), Verdict.UNKNOWN, True, 130),
    ],
)
def test_a_suite_is_as_good_as_the_worst_of_its_runs(
    runs: tuple[RunResult, ...],
    not_run: tuple[str, ...],
    reasons: tuple[str, ...],
    verdict: Verdict,
    interrupted: bool,
    exit_code: int,
) -> None:
    whole = SuiteResult("nightly", "", runs, not_run, Path("runs/nightly"), reasons)
    assert (whole.verdict, whole.interrupted, whole.exit_code) == (verdict, interrupted, exit_code)
