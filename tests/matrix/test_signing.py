"""A sign-off is bound to what was seen: any later change voids it, and is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.readiness import EXPERIMENT, NOW, READINESS, World

from seatrial.matrix import RowVerdict
from seatrial.matrix.signing import LEDGER, Word, recorded
from seatrial.model.verdict import Verdict


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.at(tmp_path / "world")


def test_what_was_signed_and_not_changed_stands(world: World) -> None:
    assert [row.verdict for row in world.matrix().rows] == [RowVerdict.PASS] * 3
    assert not world.signed().stands
    world.sign()
    assert world.signed().stands
    assert world.signed(NOW + timedelta(hours=1)).stands  # ages change by themselves


def _one_byte(world: World) -> None:
    path = world.runs[0] / "requests.parquet"
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)


CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "one byte of the evidence": (_one_byte, "ADR-003: was pass, is unknown; database-crash, downtime after crash: was pass, is unknown"),
    "a threshold of the row": (
        lambda world: world.write("readiness.yaml", READINESS.replace("max: 5s", "max: 4s")),
        "the readiness file was changed\nADR-003: database-crash, downtime after crash: its limit was ≤ 5 s and is ≤ 4 s",
    ),
    "a threshold of the experiment": (
        lambda world: world.write("crash.yaml", EXPERIMENT.replace("max: 5s", "max: 50s")),
        "ADR-003: was pass, is stale; database-crash, downtime after crash: its experiment was changed since",
    ),
    "a newer run": (lambda world: world.run(Verdict.PASS, 2, days_ago=1), "rests on database-crash-0002 and not on"),
    "a newer run that failed": (lambda world: world.run(Verdict.FAIL, 2, days_ago=1), "ADR-003: was pass, is fail"),
    "deleted evidence": (lambda world: shutil.rmtree(world.runs[0]), "ADR-003: was pass, is unknown"),
    "another tool's file": (lambda world: world.write("policy.json", '{"passed":  true}'), "policy.json has another hash"),
    "another tool's verdict": (lambda world: world.write("policy.json", '{"passed": false}'), "policy: was pass, is fail"),
    "a row less": (
        lambda world: world.write("readiness.yaml", READINESS[: READINESS.index("  - id: drill")]),
        "drill: is no longer a row",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_voids_it_and_says_what(world: World, change: str) -> None:
    world.sign()
    make, told = CHANGES[change]
    make(world)
    found = world.signed()
    assert not found.stands
    assert told in "\n".join(found.voided)


def test_a_row_that_expires_voids_it(world: World) -> None:
    world.sign()
    found = world.signed(NOW + timedelta(days=34))
    assert "ADR-003: was pass, is stale" in found.voided


def test_comments_in_an_experiment_change_nothing(world: World) -> None:
    world.sign()
    world.write("crash.yaml", f"# a word on it\n{EXPERIMENT}")
    assert world.signed().stands


def altered(word: Word, name: str) -> Word:
    return replace(word, **{name: "other"})  # type: ignore[arg-type]


def test_a_signature_is_of_the_key_and_of_every_word(world: World) -> None:
    world.sign()
    *_, word = recorded(world.place / LEDGER)
    assert word.wrong() == ""
    for name in ("kind", "readiness", "role", "name", "at", "row", "until"):
        assert "signature of amira is wrong" in altered(word, name).wrong()
    assert "not the statement" in replace(word, about="0" * 64).wrong()
    assert "without a key" in replace(word, key="").wrong()


def test_a_key_that_the_readiness_file_does_not_name_does_not_sign_for_the_role(world: World) -> None:
    pinned = f"keys: {{security: {world.person.verifier_key()}}}\n"
    world.write("readiness.yaml", READINESS + pinned)
    world.sign()
    assert world.signed().stands
    world.sign(keyed=False)
    assert "another key" in world.signed().voided[0]


def test_a_word_without_a_key_stands_and_is_shown_as_such(world: World) -> None:
    world.sign(keyed=False)
    found = world.signed()
    assert found.stands
    assert found.word is not None
    assert found.word.key == ""
