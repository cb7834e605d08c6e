"""The machine fails under whole runs: a short part of the campaign in `tests/bench/bench_faulty_system.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.faulty_system import Call, Death, Full, Trial, lacking, run_campaign

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FULL: list[Trial] = [
    Full("evidence", "load.zero", 0.1, leave=0, again=True),
]
CALLS: list[Trial] = [Call("pwrite64", "EIO", "home", when=9, from_then_on=True)]
DEATHS: list[Trial] = [Death("conductor", "SIGKILL", "step.fired", 0.1)]


@pytest.mark.parametrize(
    ("kind", "trials"),
    [
        pytest.param("full", FULL, marks=pytest.mark.long),
        ("call", CALLS),
        pytest.param("death", DEATHS, marks=pytest.mark.long),
    ],
    ids=["full", "call", "death"],
)
def test_whatever_fails_there_is_a_verdict_and_all_is_undone(
    tmp_path: Path, kind: str, trials: list[Trial]
) -> None:
    if reason := lacking(kind):
        pytest.skip(reason)
    results = list(run_campaign(tmp_path, trials))
    assert not [(result.trial, result.wrong) for result in results if result.wrong]
    if kind == "call":
        assert all(result.seen["injected"] for result in results), "no call was refused"
    if kind == "full":
        assert {result.seen["code"] for result in results} == {2}
