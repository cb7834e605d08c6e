"""The matrix of this machine, by the commands that people type: shown, signed, voided, exported, verified."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.readiness import EXPERIMENT, PLAN, READINESS
from tests.support.results import result

from seatrial.ledger import canonical, seal
from seatrial.ledger.entry import Chain, Entry
from seatrial.model.verdict import Verdict
from seatrial.report.verdictfile import verdict_document
from seatrial.run.origin import origin_of
from seatrial.run.sealing import signer
from seatrial.store import Store
from seatrial.trials.readiness import standing

NOW = datetime.now(UTC)
TODAY = f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%S+00:00}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a readiness file, and one good run on record."""
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(home))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)
    (tmp_path / "chaos").mkdir()
    (tmp_path / "chaos/crash.yaml").write_text(EXPERIMENT)
    (tmp_path / "chaos/readiness.yaml").write_text(READINESS.replace("2026-11-20T00:00:00Z", TODAY))
    (tmp_path / "chaos/policy.json").write_text('{"passed": true}')
    record(tmp_path, Verdict.PASS)
    return tmp_path


def record(place: Path, verdict: Verdict, *, hours_ago: float = 2, lower: float | None = None) -> Path:
    """A run: its sealed evidence, and its record."""
    at = datetime.now(UTC) - timedelta(hours=hours_ago)
    run = f"{at:%Y%m%dT%H%M%SZ}-database-crash"
    came = replace(result(verdict), run=run, started_at=at.isoformat())
    if lower is not None:
        (one,) = came.objectives
        came = replace(came, objectives=(replace(one, lower=lower, upper=lower + 0.05),))
    directory = place / "runs" / run
    directory.mkdir(parents=True)
    (directory / "verdict.json").write_text(json.dumps(verdict_document(came)))
    (directory / "experiment.yaml").write_text(EXPERIMENT)
    (directory / "plan.json").write_text(json.dumps(PLAN))
    (directory / "requests.parquet").write_bytes(b"rows")
    seal(directory, signer(place / "home"))
    with Store.default() as store:
        assert store.record(came, (), at, origin_of(directory))
    return directory


def attest(monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    until = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
    who = ("--role", "sre", "--name", "Jon Vik", "--until", until)
    return seatrial(monkeypatch, "matrix", "attest", "drill", *who, *more)


def test_from_evidence_to_a_signature_that_one_byte_voids(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "matrix", "--check") == 2  # the drill is not attested
    told = capsys.readouterr().out
    assert "seatrial matrix attest drill --role ROLE" in told
    assert "not signed for security" in told
    assert seatrial(monkeypatch, "keys", "make", "amira") == 0
    assert attest(monkeypatch, "--key", "amira") == 0
    assert seatrial(monkeypatch, "matrix", "--check") == 0
    sign = ("matrix", "sign", "--role", "security", "--name", "Amira Haddad", "--key", "amira")
    assert seatrial(monkeypatch, *sign) == 0
    bundle = str(place / "bundle")
    assert seatrial(monkeypatch, "matrix", "export", bundle) == 0
    assert seatrial(monkeypatch, "matrix", "verify", bundle) == 0
    capsys.readouterr()
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    assert json.loads(capsys.readouterr().out)["signed"][0]["stands"]
    (parquet,) = place.glob("runs/*/requests.parquet")
    parquet.write_bytes(b"Rows")
    assert seatrial(monkeypatch, "matrix", "--check") == 2
    assert "void for security" in capsys.readouterr().out
    assert seatrial(monkeypatch, "matrix", "verify", bundle) == 0  # which has its own copy


def elsewhere(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], statement: str
) -> str:
    """What `seatrial keys sign` prints on a machine that has the key, and nothing else of ours."""
    monkeypatch.setenv("SEATRIAL_HOME", str(place / "laptop"))
    if not (place / "laptop").exists():
        assert seatrial(monkeypatch, "keys", "make", "amira") == 0
    capsys.readouterr()
    about = ("--readiness", "production", "--statement", statement, "--role", "security", "--name", "Amira")
    assert seatrial(monkeypatch, "keys", "sign", "amira", *about) == 0
    monkeypatch.setenv("SEATRIAL_HOME", str(place / "home"))
    return capsys.readouterr().out


def test_a_line_that_was_signed_on_another_machine_is_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    line = elsewhere(place, monkeypatch, capsys, json.loads(capsys.readouterr().out)["sha256"])
    refused = {
        line.replace("Amira", "Ann").encode(): "it is not signed: the signature of amira is wrong",
        elsewhere(place, monkeypatch, capsys, "0" * 64).encode(): "not the matrix as it is",
        f"{line}{line}".encode(): "is not a line of `seatrial keys sign`: Extra data",
        b"\xff\xfe": "is not a line of `seatrial keys sign`",
    }
    for wrong, why in refused.items():
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(wrong)))
        assert seatrial(monkeypatch, "matrix", "sign", "--signed", "-") == 64, wrong
        assert why in capsys.readouterr().err
    assert not (place / "home/matrix").exists()
    (place / "amira.line").write_text(line)
    assert seatrial(monkeypatch, "matrix", "sign", "--signed", "amira.line") == 0
    assert "Amira signs for security: " in capsys.readouterr().err
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    (held,) = json.loads(capsys.readouterr().out)["signed"]
    assert (held["stands"], held["key"].partition("+")[0]) == (True, "amira")


def test_the_contract_of_json(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(place, Verdict.FAIL, hours_ago=1)
    assert seatrial(monkeypatch, "matrix", "--json", "--check") == 1
    told = json.loads(capsys.readouterr().out)
    assert {"rows", "blockers", "signed"} <= told.keys()
    row = told["rows"][0]
    assert row.keys() >= {
        "id", "requirement", "risk", "verdict", "target", "measured", "run", "age_s", "expires_at", "reason", "renew",
    }  # fmt: skip
    assert (row["verdict"], row["measured"]["lower"], row["measured"]["upper"]) == ("fail", 7.2, 7.6)
    assert row["renew"] == "seatrial run chaos/crash.yaml"
    assert told["blockers"] == ["ADR-003"]


def test_a_row_that_decays_slowly_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(9, 0, -1):
        record(place, Verdict.PASS, hours_ago=1 + 24 * number, lower=1.0 + (9 - number) / 10)
    record(place, Verdict.PASS, hours_ago=1, lower=1.95)
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert (row["verdict"], row["measured"]["trend"]) == ("pass", "worse")


def test_deleted_evidence_makes_a_row_stale_and_never_green(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verdict() -> str:
        with Store.default() as store:
            return str(standing("chaos/readiness.yaml", store, datetime.now(UTC)).matrix.rows[0].verdict)

    assert verdict() == "pass"
    (directory,) = place.glob("runs/*")
    shutil.rmtree(directory)
    assert verdict() == "stale"


def test_sealed_evidence_of_another_run_is_not_that_of_this_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older = record(place, Verdict.PASS, hours_ago=9)
    (latest,) = (each for each in place.glob("runs/*") if each != older)
    shutil.rmtree(latest)
    shutil.copytree(older, latest)
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert row["verdict"] == "unknown"
    assert f"is that of another run, {older.name}" in row["reason"]


def test_what_was_sealed_anew_with_other_figures_is_not_what_was_recorded(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By somebody who can use this machine's key, and not write to its run database."""
    (latest,) = place.glob("runs/*")
    told = (latest / "verdict.json").read_text()
    assert "1.1" in told
    (latest / "verdict.json").write_text(told.replace("1.1", "0.1"))
    shutil.rmtree(latest / "seal")
    seal(latest, signer(place / "home"))
    assert seatrial(monkeypatch, "matrix", "--json") == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert (row["verdict"], "another story" in row["reason"]) == ("unknown", True)


@pytest.mark.parametrize("chained", [False, True])
def test_words_that_were_altered_in_the_ledger_stand_for_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], chained: bool
) -> None:
    """Without a key: the ledger alone shows that they are as they were; `chained`: the chain was made right."""
    assert attest(monkeypatch) == 0
    assert seatrial(monkeypatch, "matrix", "sign", "--role", "security", "--name", "Amira") == 0
    assert seatrial(monkeypatch, "matrix", "--check") == 0
    (segment,) = (path for path in (place / "home/matrix").rglob("*") if b"Jon Vik" in contents(path))
    altered = segment.read_bytes().replace(b"Jon Vik", b"Ann Lee")
    if chained:
        events = [canonical(Entry.parse(line).event) for line in altered.splitlines()]
        altered = b"".join(line for line, _ in Chain().link(events))
    segment.write_bytes(altered)
    capsys.readouterr()
    assert seatrial(monkeypatch, "matrix", "--json", "--check") == 2
    told = json.loads(capsys.readouterr().out)
    drill = next(row for row in told["rows"] if row["id"] == "drill")
    assert (drill["verdict"], "ledger of sign-offs was altered" in drill["reason"]) == ("unknown", True)
    (held,) = told["signed"]
    assert not held["stands"]


def contents(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_renew_runs_what_does_not_pass_and_nothing_else(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "matrix", "renew", "--dry-run") == 0
    assert capsys.readouterr().out == ""
    record(place, Verdict.UNKNOWN, hours_ago=1)
    assert seatrial(monkeypatch, "matrix", "renew", "--dry-run") == 0
    assert capsys.readouterr().out == "seatrial run chaos/crash.yaml\n"
    assert seatrial(monkeypatch, "matrix", "renew", "--dry-run", "--row", "drill") == 0
    assert capsys.readouterr().out == ""


def test_renew_tells_what_measures_policies_and_does_not_run_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "policies").mkdir()
    both = "{policy: policies, figure: full, max: 60s}, {policy: policies, figure: incremental, max: 2s}"
    row = f"  - {{id: gate, requirement: Policies hold, evidence: [{both}]}}\n"
    (place / "chaos/readiness.yaml").write_text((place / "chaos/readiness.yaml").read_text() + row)
    assert seatrial(monkeypatch, "matrix", "renew", "--dry-run") == 0
    told = capsys.readouterr().err.splitlines()
    assert told.count("not run from here: seatrial policy check --policies policies --evidence") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--file", "none.yaml"), "readiness none.yaml: no such file"),
        (("--into", "x.md"), "--into is for --markdown"),
        (("renew", "--row", "ADR-33"), "there is no row 'ADR-33'"),
        (("sign", "--role", "cto", "--name", "A"), "'cto' does not sign"),
        (("sign", "--role", "security", "--name", " "), "who signs is not said"),
        (("sign", "--role", "security", "--name", "A", "--key", "none"), "there is no key 'none'"),
        (("sign", "--role", "security"), "--role and --name, or --signed"),
        (("sign", "--signed", "line", "--role", "security"), "--role: the line that --signed brings says that"),
        (("sign", "--signed", "none.line"), "--signed none.line: cannot be read: No such file"),
        (("attest", "ADR-003", "--role", "sre", "--name", "A", "--until", "2100-01-01"), "it rests on what is measured"),
        (("attest", "drill", "--role", "sre", "--name", "A", "--until", "2020-01-01"), "that is over"),
        (("verify", "runs"), "not a bundle"),
        (("export", "runs"), "is there already"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_a_line(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    assert seatrial(monkeypatch, "matrix", *arguments) == 64
    assert told in capsys.readouterr().err


def test_a_page_and_markdown_are_written_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seatrial(monkeypatch, "matrix", "--html", "matrix.html") == 0
    page = (place / "matrix.html").read_text()
    assert "ADR-003" in page
    assert "<script" not in page
    (place / "adr.md").write_text("<!-- seatrial matrix --><!-- /seatrial matrix -->")
    assert seatrial(monkeypatch, "matrix", "--markdown", "--into", "adr.md") == 0
    assert "| ADR-003 |" in (place / "adr.md").read_text()
