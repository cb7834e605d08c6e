"""Old policy checks leave as runs do: sealed ones alone, and what rested on them is stale and never green."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.command import seatrial

from seatrial.ledger import seal
from seatrial.matrix import RowVerdict
from seatrial.matrix.bundle import verify_bundle
from seatrial.matrix.policies import CHECKS, RESULT, policies_hash
from seatrial.model.problems import BadInput
from seatrial.run.sealing import own_keys, signer
from seatrial.store import Store
from seatrial.trials.checkretention import delete_check, outdated_checks
from seatrial.trials.readiness import Standing, export_bundle, standing

NOW = datetime.now(UTC)
READINESS = """\
readiness: production
rows:
  - {id: ADR-004, requirement: Policies hold, evidence: [{policy: policies}]}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)
    Path("policies").mkdir()
    Path("policies/p.rego").write_text("package main\n")
    Path("readiness.yaml").write_text(READINESS)
    return tmp_path / "home"


def checked(home: Path, days_ago: int, verdict: str = "pass") -> Path:
    """A measured check, sealed."""
    started = NOW - timedelta(days=days_ago)
    directory = home / CHECKS / f"{started:%Y%m%dT%H%M%SZ}-abcdef"
    directory.mkdir(parents=True)
    told = {
        "policies": "policies", "policies_sha256": policies_hash(Path("policies")), "verdict": verdict,
        "reason": "", "started_at": started.isoformat(), "seconds": {"full": 1.0},
    }  # fmt: skip
    (directory / RESULT).write_text(json.dumps(told))
    seal(directory, signer(home))
    return directory


def found() -> Standing:
    with Store.default() as store:
        return standing("readiness.yaml", store, NOW)


def row() -> tuple[RowVerdict, str]:
    (judged,) = found().matrix.rows
    return judged.verdict, judged.reason


def prune(monkeypatch: pytest.MonkeyPatch, *options: str, keep: str = "10d") -> int:
    return seatrial(monkeypatch, "report", "prune", "--keep", keep, "--yes", "--json", *options)


def test_an_old_check_goes_and_its_row_is_stale(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = checked(home, 30), checked(home, 3)
    assert row() == (RowVerdict.PASS, "")
    assert prune(monkeypatch, "--exported") == 0  # which no check ever was
    assert prune(monkeypatch, "--dry-run") == 0
    assert old.is_dir()
    capsys.readouterr()
    assert prune(monkeypatch) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["policy_checks"] == [old.name]
    assert "and 1 policy checks (" in " ".join(told.err.split())
    assert not old.exists()
    assert row() == (RowVerdict.PASS, "")
    assert prune(monkeypatch, keep="1d") == 0
    assert not new.exists()
    assert row() == (RowVerdict.STALE, "policies: its evidence was deleted")
    assert prune(monkeypatch, keep="1d") == 0
    checked(home, 0)
    assert row() == (RowVerdict.PASS, "")


def test_a_fail_does_not_heal_by_being_deleted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(home, 30, "fail")
    assert prune(monkeypatch) == 0
    assert row()[0] is RowVerdict.FAIL


def test_a_bundle_tells_the_same_of_what_was_deleted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(home, 3)
    assert prune(monkeypatch, keep="1d") == 0
    with Store.default() as store:
        export_bundle(found(), store, Path("bundle"))
    report = verify_bundle(Path("bundle"), own_keys(home))
    assert report.altered == ()
    assert report.matrix is not None
    assert report.matrix.rows[0].verdict is RowVerdict.STALE


def test_what_is_not_as_it_was_sealed_is_left_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    altered, linked = checked(home, 30), home / CHECKS / "linked"
    (altered / RESULT).write_text((altered / RESULT).read_text().replace('"full": 1.0', '"full": 0.1'))
    elsewhere = checked(home, 40).rename(home / "elsewhere")
    linked.symlink_to(elsewhere)
    (home / CHECKS / "empty").mkdir()
    assert prune(monkeypatch) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["left_alone"].keys(), told["policy_checks"]) == ({altered.name, "linked", "empty"}, [])
    assert altered.is_dir()
    assert (elsewhere / RESULT).is_file()
    (kept, *_) = [each for each in outdated_checks(home, NOW, own_keys(home)) if each.directory == altered]
    with pytest.raises(BadInput):
        delete_check(kept)


def test_who_is_killed_amid_it_leaves_what_is_not_believed_and_the_next_one_finishes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = checked(home, 30)
    (kept,) = outdated_checks(home, NOW, own_keys(home))
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", _killed)
        with pytest.raises(KeyboardInterrupt):
            delete_check(kept)
    assert row()[0] is RowVerdict.STALE
    assert prune(monkeypatch) == 0
    assert [each.name for each in (home / CHECKS).iterdir()] == [f"{place.name}.deleted"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
