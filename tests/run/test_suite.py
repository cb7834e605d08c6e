"""A suite goes on after a verdict of any kind, and ends where going on would measure another system."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.results import CRASH, result, unverified

from seatrial.model.document import build, parse
from seatrial.model.result import RunResult
from seatrial.model.suite import Suite
from seatrial.model.verdict import Verdict
from seatrial.run.suite import SuitePlan, SuiteResult, execute_suite

NAMES = ("first", "second", "third")


def told(directory: Path, results: Sequence[RunResult]) -> SuiteResult:
    """A suite of three experiments that come out as given."""
    suite = build(Suite, parse("suite: s\nexperiments: [first, second, third]\npause: 0s\n", "s.yaml"))
    plans: Any = tuple(SimpleNamespace(experiment=SimpleNamespace(experiment=name)) for name in NAMES)
    left = iter(results)

    def run(_plan: object, _directory: Path) -> Any:
        return SimpleNamespace(result=next(left))

    return execute_suite(SuitePlan(suite, plans), run, threading.Event(), lambda _: None, directory / "suite")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_it_goes_on_whatever_the_verdict(tmp_path: Path, verdict: Verdict) -> None:
    whole = told(tmp_path, [result(verdict, steps=(CRASH,))] * 3)
    assert (whole.verdict, len(whole.runs), whole.not_run) == (verdict, 3, ())


def test_it_ends_where_something_is_left_behind(tmp_path: Path) -> None:
    left = replace(result(Verdict.FAIL), steps=(unverified(),))
    whole = told(tmp_path, [result(Verdict.PASS), left])
    assert (whole.verdict, len(whole.runs), whole.not_run) == (Verdict.FAIL, 2, ("third",))
