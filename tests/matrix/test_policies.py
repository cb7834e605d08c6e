"""Measured policy checks as evidence: the latest by these policies, sealed, within its limit."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.readiness import NOW, World

from seatrial.ledger import seal
from seatrial.matrix import Kind, RowVerdict
from seatrial.matrix.bundle import export, verify_bundle
from seatrial.matrix.judging import MatrixRow
from seatrial.matrix.policies import RESULT, policies_hash
from seatrial.matrix.signing import LEDGER
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict

ROW = """readiness: production
sign_off: [security]
rows:
  - id: ADR-004
    requirement: Policies hold
    evidence:
      - {{policy: policies, {more}}}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    found = World.at(tmp_path / "world")
    (found.place / "policies").mkdir()
    (found.place / "policies" / "p.rego").write_text("package main\n")
    (found.place / "policies" / "README.md").write_text("not a policy\n")
    found.write("readiness.yaml", ROW.format(more="figure: incremental, max: 2s"))
    return found


def checked(
    world: World,
    *,
    verdict: str = "pass",
    days_ago: float = 2,
    seconds: float = 0.5,
    policies: str = "policies",
) -> Path:
    """A measured check, sealed."""
    started = NOW - timedelta(days=days_ago)
    directory = world.place / "runs" / f"check-{days_ago}"
    directory.mkdir(parents=True)
    told = {
        "policies": policies,
        "policies_sha256": policies_hash(world.place / "policies"),
        "verdict": verdict,
        "reason": "" if verdict == "pass" else "3 messages",
        "started_at": started.isoformat(),
        "seconds": {"full": 9.0, "incremental": seconds},
    }
    (directory / RESULT).write_text(json.dumps(told))
    seal(directory, world.machine)
    return directory


def row(world: World) -> MatrixRow:
    return world.matrix().rows[0]


def test_what_was_never_measured_is_unknown_and_says_how(world: World) -> None:
    found = row(world)
    assert (found.verdict, found.reason) == (
        RowVerdict.UNKNOWN,
        "policies, incremental: it was never measured",
    )
    assert found.findings[0].renew == "seatrial policy check --policies policies --evidence"


def test_the_latest_check_counts_as_measured_with_its_figure(world: World) -> None:
    checked(world, days_ago=5, verdict="fail")
    checked(world, days_ago=2)
    checked(world, days_ago=1, policies="others", verdict="fail")
    found = row(world)
    assert found.verdict is RowVerdict.PASS
    assert found.measured
    (finding,) = found.findings
    assert (finding.kind, str(finding.figure), finding.run) == (Kind.MEASURED, "500 ms", "check-2")
    assert found.expires_at == NOW - timedelta(days=2) + timedelta(days=35)


@pytest.mark.parametrize(
    ("check", "verdict", "reason"),
    [
        ({"verdict": "fail"}, RowVerdict.FAIL, "3 messages"),
        ({"verdict": "unknown"}, RowVerdict.UNKNOWN, "3 messages"),
        ({"seconds": 2.5}, RowVerdict.FAIL, "incremental took 2.50 s"),
        ({"days_ago": 36}, RowVerdict.STALE, "expired on"),
    ],
)
def test_what_is_no_pass_says_why(
    world: World, check: dict[str, object], verdict: RowVerdict, reason: str
) -> None:
    checked(world, **check)  # type: ignore[arg-type]
    assert row(world).verdict is verdict
    assert reason in row(world).reason


def test_other_policies_than_were_measured_make_it_stale(world: World) -> None:
    checked(world)
    (world.place / "policies" / "README.md").write_text("still not a policy\n")
    assert row(world).verdict is RowVerdict.PASS
    (world.place / "policies" / "p.rego").write_text("package main\n\n")
    assert (row(world).verdict, row(world).reason) == (
        RowVerdict.STALE,
        "policies, incremental: its policies were changed since",
    )


def test_what_was_altered_after_it_was_sealed_is_unknown(world: World) -> None:
    place = checked(world, verdict="fail") / RESULT
    place.write_text(place.read_text().replace('"fail"', '"pass"'))
    assert row(world).verdict is RowVerdict.UNKNOWN
    assert "was altered after it was sealed" in row(world).reason


def test_what_was_not_sealed_is_unknown(world: World) -> None:
    place = checked(world)
    (place / "seal").rename(world.place / "gone")
    assert row(world).verdict is RowVerdict.UNKNOWN


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"policies": "policies", "seconds": 3}'])
def test_what_is_no_check_is_none(world: World, text: str) -> None:
    (checked(world) / RESULT).write_text(text)
    assert "never measured" in row(world).reason


def test_a_directory_that_is_not_there_and_a_figure_that_is_none(world: World) -> None:
    checked(world)
    world.write("readiness.yaml", ROW.format(more="figure: quick, max: 2s"))
    assert "it tells no figure 'quick'; it has: full, incremental" in row(world).reason
    world.write(
        "readiness.yaml",
        ROW.format(more="max: 2s").replace("policy: policies", "policy: others").replace(", max: 2s", ""),
    )
    assert "there is no such directory of policies" in row(world).reason


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("figure: full, max: 5%", "a policy check takes time"),
        ("figure: full, min: 5s", "has a highest value"),
        ("max: 5s", "a limit of what"),
        ("objective: x", "objective is of experiment, not of policy"),
        ("file: x", "evidence is one of experiment, policy, file and attestation"),
    ],
)
def test_a_mistake_in_the_row_is_told(world: World, more: str, told: str) -> None:
    world.write("readiness.yaml", ROW.format(more=more))
    with pytest.raises(BadInput, match=told):
        world.file()


def test_a_bundle_carries_the_check_and_its_policies(world: World) -> None:
    checked(world)
    world.sign()
    keys = [world.machine.verifier_key(), world.person.verifier_key()]
    place = world.place / "exported"
    runs = [path for path in world.runs if path.name.startswith("check")]
    export(
        world.file(), world.matrix(), [world.signed()], runs, world.place / LEDGER, keys, world.machine, place
    )
    report = verify_bundle(place, keys)
    assert (report.altered, report.doubts, report.verdict) == ((), (), Verdict.PASS)
    copy = next((place / "inputs").glob("policies-*"))
    (copy / "p.rego").write_text("package other\n")
    assert verify_bundle(place, keys).verdict is Verdict.FAIL
