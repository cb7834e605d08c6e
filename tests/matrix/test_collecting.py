"""A readiness file and what it names: every mistake is told with its place, and what is missing is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.readiness import EXPERIMENT, NOW, READINESS, World
from tests.support.results import result

from seatrial.ledger import seal
from seatrial.matrix import RowVerdict
from seatrial.matrix.judging import MatrixRow
from seatrial.model.problems import BadInput
from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict
from seatrial.report.verdictfile import verdict_document


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World.at(tmp_path / "world")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("crash.yaml", "crsh.yaml", r"readiness\.yaml:9:\d+: .*no such file"),
        ("risk: high", "risk: hihg", r"readiness\.yaml:7:\d+: .*'hihg' is not one of low, medium, high"),
        ("max: 5s", "max: 5 parsecs", r"readiness\.yaml:9:\d+: .*is not a limit"),
        ("objective: downtime after crash, ", "", "a limit of what"),
        ("format: json, ", "", "say its format"),
        ("id: policy", "id: ADR-003", "ADR-003 stands there twice"),
        ("value: /passed", "objective: x", "objective is of experiment, not of file"),
        ("sign_off: [security]", "sign_off: [security]\nkeys: {cto: x}", "cto is not one of those that sign off"),
        ("rows:", "row:", "unknown key 'row'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(world: World, old: str, new: str, told: str) -> None:
    assert old in READINESS
    world.write("readiness.yaml", READINESS.replace(old, new, 1))
    with pytest.raises(BadInput, match=told):
        world.file()


def test_an_experiment_is_not_a_readiness_file(world: World) -> None:
    (world.place / "readiness.yaml").write_text((world.place / "crash.yaml").read_text())
    with pytest.raises(BadInput, match="this is an experiment, and a readiness file is expected"):
        world.file()


def test_evidence_counts_for_as_long_as_is_said(world: World) -> None:
    row = world.matrix().rows[0]
    assert row.expires_at == NOW + timedelta(days=33)
    shorter = READINESS.replace("max: 5s}", "max: 5s, shelf_life: 1d}")
    world.write("readiness.yaml", shorter)
    assert world.matrix().rows[0].verdict is RowVerdict.STALE


def test_an_attestation_ends_on_its_day_even_if_it_would_keep(world: World) -> None:
    assert world.matrix(NOW + timedelta(days=29)).rows[2].verdict is RowVerdict.PASS
    assert world.matrix(NOW + timedelta(days=31)).rows[2].verdict is RowVerdict.STALE


def test_another_statement_is_not_what_was_attested(world: World) -> None:
    world.write("readiness.yaml", READINESS.replace("walked through", "read"))
    row = world.matrix().rows[2]
    assert (row.verdict, row.reason.rpartition(": ")[2]) == (RowVerdict.UNKNOWN, "nobody has attested to it")


def test_what_is_not_there_is_unknown_and_says_how_to_get_it(world: World) -> None:
    (world.place / "policy.json").unlink()
    for directory in world.runs:
        directory.rename(world.place / "elsewhere")
    crash, policy, _ = world.matrix().rows
    assert crash.verdict is policy.verdict is RowVerdict.UNKNOWN
    assert "never run" in crash.reason
    assert crash.findings[0].renew == "seatrial run world/crash.yaml"


def test_an_interrupted_run_neither_counts_nor_hides_the_one_before(world: World) -> None:
    directory = world.run(number=2, days_ago=1)
    text = (directory / "verdict.json").read_text().replace('"interrupted": false', '"interrupted": true')
    (directory / "verdict.json").write_text(text)
    assert world.matrix().rows[0].findings[0].run == "database-crash-0001"


def test_a_run_on_another_target_does_not_count(world: World) -> None:
    world.write("shop.yaml", "target: shop\nbase_url: http://127.0.0.1:1\nallow: [127.0.0.1]\n")
    world.write("readiness.yaml", f"target: shop.yaml\n{READINESS}")
    row = world.matrix().rows[0]
    assert row.verdict is RowVerdict.UNKNOWN
    assert "never run on shop" in row.reason


CAPACITY = "capacity at p95 <= 900ms, errors <= 1%"


def capacity_row(world: World, objective: str = CAPACITY, at_least: str = "6000/min") -> MatrixRow:
    """The first row, resting on what the service carries."""
    rests_on = f'objective: "{objective}", min: {at_least}}}'
    world.write("readiness.yaml", READINESS.replace("objective: downtime after crash, max: 5s}", rests_on))
    return world.matrix().rows[0]


def searched(world: World, lower: float, upper: float) -> None:
    """A search for the capacity of the experiment, on record and sealed."""
    verdict = Verdict.PASS
    capacity = ObjectiveResult(CAPACITY, 50.0, lower, upper, "per_s", verdict)
    came = replace(
        result(verdict, 7), experiment="database-crash-capacity", run="20261128T120000Z-capacity",
        started_at=(NOW - timedelta(days=1)).isoformat(), objectives=(capacity,), measurement=None,
    )  # fmt: skip
    directory = world.place / "runs" / came.run
    directory.mkdir()
    (directory / "verdict.json").write_text(json.dumps(verdict_document(came)))
    (directory / "experiment.yaml").write_text(EXPERIMENT)
    (directory / "plan.json").write_text('{"experiment": {"load": {"scenario": "loadtests/storefront.py"}}}')
    seal(directory, world.machine)


def test_a_row_rests_on_a_search_for_capacity_and_on_no_run(world: World) -> None:
    row = capacity_row(world)
    assert (row.verdict, row.findings[0].reason) == (RowVerdict.UNKNOWN, "it was never run")
    assert row.findings[0].renew == (
        "seatrial capacity world/crash.yaml --objective 'p95 <= 900ms, errors <= 1%' --from 6000/min"
    )
    searched(world, 140.0, 150.0)
    assert capacity_row(world).verdict is RowVerdict.PASS
    assert capacity_row(world, at_least="9600/min").verdict is RowVerdict.FAIL
    assert capacity_row(world, at_least="8700/min").verdict is RowVerdict.UNKNOWN  # it lies in the interval


def test_a_capacity_under_another_promise_is_no_evidence(world: World) -> None:
    searched(world, 140.0, 150.0)
    row = capacity_row(world, "capacity at p95 <= 100ms, errors <= 1%")
    assert row.verdict is RowVerdict.UNKNOWN
    assert f"the run has no objective of this name; it has: {CAPACITY}" in row.findings[0].reason
