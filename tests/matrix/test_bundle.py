"""A bundle is verified without anything else, and every alteration of it is found."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from tests.support.readiness import World

from seatrial.ledger import SoftwareSigner, VerifierKey
from seatrial.matrix.bundle import export, verify_bundle
from seatrial.matrix.signing import LEDGER
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict

ALTERATIONS = 24  # of each kind of change; tests.bench.bench_bundle makes hundreds


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World.at(tmp_path_factory.mktemp("bundle") / "world")
    exported(world)
    return world


def exported(world: World) -> Path:
    """A signed matrix with everything under it."""
    world.sign()
    keys = [world.machine.verifier_key(), world.person.verifier_key()]
    place = world.place / "exported"
    words = world.place / LEDGER
    export(world.file(), world.matrix(), [world.signed()], world.runs, words, keys, world.machine, place)
    return place


def trusted(world: World) -> list[VerifierKey]:
    return [world.machine.verifier_key(), world.person.verifier_key()]


def test_a_whole_bundle_passes(world: World) -> None:
    report = verify_bundle(world.place / "exported", trusted(world))
    assert (report.altered, report.doubts) == ((), ())
    assert report.verdict is Verdict.PASS


def test_without_the_signers_keys_nothing_is_proven(world: World) -> None:
    assert verify_bundle(world.place / "exported", []).verdict is not Verdict.PASS
    report = verify_bundle(world.place / "exported", [world.machine.verifier_key()])
    assert report.verdict is Verdict.UNKNOWN
    assert "amira" in report.doubts[0]


def test_another_machines_seal_is_not_believed(world: World) -> None:
    stranger = SoftwareSigner.generate("machine").verifier_key()
    assert verify_bundle(world.place / "exported", [stranger]).verdict is not Verdict.PASS


@pytest.mark.parametrize("seed", range(3))
def test_every_alteration_is_found(world: World, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    whole = world.place / "exported"
    files = sorted(
        path.relative_to(whole) for path in whole.rglob("*") if path.is_file() and path.stat().st_size
    )
    for number in range(ALTERATIONS // 3):
        bundle = tmp_path / str(number)
        shutil.copytree(whole, bundle)
        told = alter(bundle / rng.choice(files), rng)
        assert judged(bundle, world) is not Verdict.PASS, told


def judged(bundle: Path, world: World) -> Verdict | None:
    """The verdict on a bundle; None when it is refused as none."""
    try:
        return verify_bundle(bundle, trusted(world)).verdict
    except BadInput:
        return None


def alter(path: Path, rng: random.Random) -> str:
    """Change something about a file; what was done."""
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data))
    kind = rng.choice(["bit", "cut", "gone", "more"])
    if kind == "bit":
        data[place] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[place:]
    elif kind == "more":
        data += data[-1:]
    path.unlink() if kind == "gone" else path.write_bytes(data)
    return f"{kind} at {place} of {path}"


def test_what_is_no_bundle_is_refused(tmp_path: Path, world: World) -> None:
    with pytest.raises(BadInput, match="not a bundle"):
        verify_bundle(tmp_path, [])
    with pytest.raises(BadInput, match="there already"):
        export(world.file(), world.matrix(), [], [], tmp_path / "none", [], world.machine, tmp_path)
