"""A run counts for what is written, and for nothing that only has its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.readiness import EXPERIMENT, PLAN, READINESS, World

from seatrial.disk import file_digest
from seatrial.ledger import VerifierKey, seal
from seatrial.matrix import RowVerdict
from seatrial.matrix.bundle import export, verify_bundle
from seatrial.matrix.conditions import Written, conditions_of
from seatrial.matrix.judging import MatrixRow
from seatrial.matrix.markdown import markdown
from seatrial.matrix.signing import LEDGER
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.result import plain
from seatrial.model.verdict import Verdict
from seatrial.provenance import Part, written_parts

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
    assert conditions_of(tmp_path, Written(tmp_path / "x.yaml")).otherwise == ""


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
    bundle, keys = exported(world)
    assert verify_bundle(bundle, keys).verdict is Verdict.PASS
    world.write("slo.yaml", OPENSLO.replace("0.999", "0.9999"))
    row = world.matrix().rows[0]
    assert row.verdict is RowVerdict.STALE
    assert row.reason.endswith("what it promises by another file was changed since")
    assert not world.signed().stands


MADE_OF = EXPERIMENT.replace(
    "loadtests/storefront.py, rate", "shop.py, data: {file: users.csv, secret: [password]}, rate"
)
USERS = "user,password\nada,hunter2-and-more\n"


@pytest.fixture
def made(world: World) -> World:
    """A run that tells what it was made of: a scenario, what that imports, and rows with a secret."""
    for name, text in (("shop.py", "import steps\n"), ("steps.py", ""), ("users.csv", USERS)):
        world.write(name, text)
    world.write("crash.yaml", MADE_OF)
    experiment = build(Experiment, parse(MADE_OF, "crash.yaml"))
    told = [plain(part) for part in written_parts(experiment, world.place / "crash.yaml")]
    plan = {**PLAN, "experiment": {"load": {"scenario": "shop.py", "rate": [{"rate": "100/s"}]}}}

    def write(directory: Path) -> None:
        (directory / "experiment.yaml").write_text(MADE_OF)
        (directory / "plan.json").write_text(json.dumps({**plan, "made_of": told}))

    assert again(world, write).verdict is RowVerdict.PASS
    return world


@pytest.mark.parametrize("name", ["shop.py", "steps.py", "users.csv"])
def test_a_row_is_stale_when_a_file_of_its_run_was_changed(made: World, name: str) -> None:
    made.sign()
    assert made.matrix().rows[0].verdict is RowVerdict.PASS
    assert not made.matrix().notes
    text = (made.place / name).read_text()
    made.write(name, f"{text}# \n")
    row = made.matrix().rows[0]
    assert (row.verdict, row.reason.rpartition(": ")[2]) == (RowVerdict.STALE, f"{name} was changed since")
    assert name in made.signed().voided[0]
    made.write(name, text)
    assert made.signed().stands
    (made.place / name).unlink()
    assert f"{name} is no longer there" in made.matrix().rows[0].reason


def test_a_module_that_the_scenario_finds_beside_it_since_then_is_a_change(made: World) -> None:
    made.write("locust.py", "")  # which is now imported in place of Locust
    assert made.matrix().rows[0].verdict is RowVerdict.PASS
    made.write("shop.py", "import steps, locust\n")
    assert made.matrix().rows[0].reason.endswith("shop.py was changed since; locust.py was not there then")


def test_evidence_of_before_counts_as_it_did_and_says_what_is_not_known(world: World) -> None:
    world.sign()
    matrix = world.matrix()
    assert matrix.rows[0].verdict is RowVerdict.PASS
    (note,) = matrix.notes
    assert (note.startswith("not known whether its scenario"), matrix.notes[note]) == (True, ["ADR-003"])
    assert note in markdown(matrix, [])
    assert world.signed().stands


def test_where_a_row_names_no_target_the_file_of_the_one_that_it_ran_on_counts(world: World) -> None:
    world.write("target.yaml", TARGET)
    target = Part("target", "target.yaml", file_digest(world.place / "target.yaml"))
    experiment = build(Experiment, parse(EXPERIMENT, "crash.yaml"))
    parts = [*written_parts(experiment, world.place / "crash.yaml"), target]
    assert planned(world, made_of=[plain(part) for part in parts]).verdict is RowVerdict.PASS
    world.write("target.yaml", f"# the same\n{TARGET}")
    assert world.matrix().rows[0].verdict is RowVerdict.PASS
    world.write("target.yaml", TARGET.replace("8080", "8081"))
    assert world.matrix().rows[0].reason.endswith("target.yaml was changed since")


@pytest.mark.parametrize("told", ["no list", [{"file": "shop.py"}], {"shop.py": "0"}])
def test_what_a_run_was_made_of_in_other_words_than_ours_makes_nothing_pass(
    world: World, told: object
) -> None:
    assert planned(world, made_of=told).verdict is RowVerdict.UNKNOWN


def exported(world: World) -> tuple[Path, list[VerifierKey]]:
    keys = [world.machine.verifier_key(), world.person.verifier_key()]
    words, bundle = world.place / LEDGER, world.place / "exported"
    export(world.file(), world.matrix(), [world.signed()], world.runs, words, keys, world.machine, bundle)
    return bundle, keys


def test_a_bundle_carries_the_hashes_and_not_the_files(made: World) -> None:
    made.sign()
    bundle, keys = exported(made)
    for name in ("shop.py", "users.csv"):
        (made.place / name).unlink()
    assert verify_bundle(bundle, keys).verdict is Verdict.PASS
    holding = [path for path in bundle.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert not holding


def test_a_bundle_of_a_stale_row_says_so_elsewhere_too(made: World) -> None:
    made.write("steps.py", "changed = True\n")
    made.sign()
    bundle, keys = exported(made)
    made.write("steps.py", "")
    report = verify_bundle(bundle, keys)
    assert report.matrix is not None
    assert report.matrix.rows[0].reason.endswith("steps.py was changed since")
    assert report.verdict is Verdict.PASS  # all is as it was signed


def test_a_bundle_of_before_goes_on_being_verified(world: World) -> None:
    world.sign()
    bundle, keys = exported(world)
    shutil.rmtree(bundle / "seal")
    inputs = json.loads((bundle / "inputs.json").read_bytes())
    del inputs["made_of"]
    (bundle / "inputs.json").write_text(json.dumps(inputs))
    matrix = json.loads((bundle / "matrix.json").read_bytes())
    for row in matrix["rows"]:
        del row["cost"]
        for each in row["evidence"]:
            del each["note"]
    (bundle / "matrix.json").write_text(json.dumps(matrix))
    seal(bundle, world.machine)
    report = verify_bundle(bundle, keys)
    assert (report.verdict, report.altered) == (Verdict.PASS, ())
