"""A run counts for what is written, and for nothing that only has its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.readiness import EXPERIMENT, PLAN, READINESS, World

from seatrial.ledger import seal
from seatrial.matrix import RowVerdict
from seatrial.matrix.bundle import export, verify_bundle
from seatrial.matrix.conditions import offered_otherwise
from seatrial.matrix.judging import MatrixRow
from seatrial.matrix.signing import LEDGER
from seatrial.model.verdict import Verdict

TARGET = "target: testbed\nbase_url: http://127.0.0.1:8080\n"
OPENSLO = "apiVersion: openslo/v1\nkind: SLO\nspec: {objectives: [{target: 0.999}]}\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World.at(tmp_path / "world")


def again(world: World, change: Callable[[Path], None]) -> MatrixRow:
    """The row of a run whose evidence was changed before it was sealed."""
    (directory,) = world.runs
    shutil.rmtree(directory / "seal")
    change(directory)
    seal(directory, world.machine)
    return world.matrix().rows[0]


def planned(world: World, **parts: object) -> MatrixRow:
    """The row of a run with another plan."""

    def write(directory: Path) -> None:
        (directory / "plan.json").write_text(json.dumps({**PLAN, **parts}))

    return again(world, write)


def offered(rate: object) -> dict[str, object]:
    return {"load": {"scenario": "loadtests/storefront.py", "rate": rate}}


def test_a_run_with_less_load_is_no_evidence_for_the_experiment(world: World) -> None:
    world.sign()
    assert world.signed().stands
    row = planned(world, experiment=offered([{"rate": "60/min"}]))
    assert row.verdict is RowVerdict.UNKNOWN
    assert row.reason.endswith("was run with --rate, and not as its experiment says")
    assert "ADR-003: was pass, is unknown" in world.signed().voided[0]


@pytest.mark.parametrize(
    "rate", ["100/s", "6000/min", [{"rate": "6000/min"}], [{"at": "0s", "rate": "100/s"}]]
)
def test_the_same_load_in_other_words_is_the_same(world: World, rate: object) -> None:
    assert planned(world, experiment=offered(rate)).verdict is RowVerdict.PASS


@pytest.mark.parametrize(
    "rate",
    [
        {"requests": "100/s"},
        [{"rate": "100/s"}, {"at": "5s", "rate": "1/s"}],
        [{"from": "100/s", "to": "1/s", "over": "10s"}],
    ],
)
def test_any_other_shape_of_it_is_not(world: World, rate: object) -> None:
    assert planned(world, experiment=offered(rate)).verdict is RowVerdict.UNKNOWN


def test_where_nothing_tells_the_load_nothing_passes(world: World) -> None:
    row = again(world, lambda directory: (directory / "plan.json").unlink())
    assert (row.verdict, "does not tell what load" in row.reason) == (RowVerdict.UNKNOWN, True)


def test_a_search_for_capacity_has_no_rate_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"experiment": {"load": {"scenario": "x.py"}}}')
    assert offered_otherwise(tmp_path) == ""


def test_a_target_is_known_by_what_it_is_and_not_by_what_it_is_called(world: World) -> None:
    world.write("target.yaml", TARGET)
    world.write("readiness.yaml", READINESS.replace("sign_off:", "target: target.yaml\nsign_off:"))
    assert world.matrix().rows[0].verdict is RowVerdict.PASS
    world.write("target.yaml", f"# the same\n{TARGET}")
    assert world.matrix().rows[0].verdict is RowVerdict.PASS
    toy = planned(world, target={"target": "testbed", "base_url": "http://127.0.0.1:9"})
    assert toy.verdict is RowVerdict.STALE
    assert toy.reason.endswith("ran on another target of this name, or the target was changed since")


def test_two_experiments_of_one_name_are_each_held_against_their_own_file(world: World) -> None:
    world.write("easy.yaml", EXPERIMENT.replace("100/s", "1/s"))
    second = "  - {id: easy, requirement: Too, evidence: [{experiment: easy.yaml}]}\n"
    world.write("readiness.yaml", READINESS + second)
    rows = world.matrix().rows
    assert (rows[0].verdict, rows[-1].verdict) == (RowVerdict.PASS, RowVerdict.STALE)


def test_a_promise_in_another_file_counts_as_well_and_goes_with_the_bundle(world: World) -> None:
    experiment = EXPERIMENT.replace("{downtime: {max: 5s}}", "{downtime: {max: 5s}, openslo: slo.yaml}")
    world.write("crash.yaml", experiment)
    world.write("slo.yaml", OPENSLO)

    def with_promise(directory: Path) -> None:
        (directory / "experiment.yaml").write_text(experiment)
        (directory / "openslo.yaml").write_text(OPENSLO)

    assert again(world, with_promise).verdict is RowVerdict.PASS
    world.sign()
    keys = [world.machine.verifier_key(), world.person.verifier_key()]
    words, bundle = world.place / LEDGER, world.place / "exported"
    export(world.file(), world.matrix(), [world.signed()], world.runs, words, keys, world.machine, bundle)
    assert verify_bundle(bundle, keys).verdict is Verdict.PASS
    world.write("slo.yaml", OPENSLO.replace("0.999", "0.9999"))
    row = world.matrix().rows[0]
    assert row.verdict is RowVerdict.STALE
    assert row.reason.endswith("what it promises by another file was changed since")
    assert not world.signed().stands
