"""Runs on record, from the command line: listed, found again, imported, and honest about lost evidence."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import seatrial
from tests.support.results import COST, NOTICED, START, result
from tests.support.small_run import small_run

from seatrial.cli import terminal
from seatrial.cli.terms import instant_of
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.store import Store


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)
    return tmp_path


def record(*verdicts: Verdict) -> None:
    with Store.default() as store:
        for number, verdict in enumerate(verdicts, 1):
            store.record(result(verdict, number), [], START)


def test_runs_on_record_are_listed_and_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "report", "list") == 0
    assert "no such run is on record" in capsys.readouterr().out
    record(Verdict.PASS, Verdict.FAIL, Verdict.PASS)
    assert seatrial(monkeypatch, "report", "list", "--limit", "2") == 0
    told = capsys.readouterr()
    rows = [line.split()[0] for line in told.out.splitlines() if line.startswith("database")]
    assert rows == ["database-crash-0003", "database-crash-0002"]
    assert "1 older ones" in told.err
    assert (
        seatrial(monkeypatch, "report", "list", "--verdict", "fail", "--since", "2026-03-01", "--json") == 0
    )
    document = json.loads(capsys.readouterr().out)
    (only,) = document["runs"]
    assert (only["run"], only["objectives"][0]["upper"]) == ("database-crash-0002", 7.6)
    assert seatrial(monkeypatch, "report", "latest:database-crash", "--json") == 0
    found = capsys.readouterr()
    assert json.loads(found.out)["run"] == "database-crash-0003"
    assert "nobody knows where its evidence is" in found.err
    assert seatrial(monkeypatch, "report", "database-crash-0002") == 1


def test_who_noticed_and_what_a_million_requests_cost_is_listed_where_there_is_any_to_tell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal.out, "_width", 400)  # COLUMNS counts when it is made
    record(Verdict.PASS)
    assert seatrial(monkeypatch, "report", "list") == 0
    assert not {"noticed", "million"} & set(capsys.readouterr().out.splitlines()[0].split())
    with Store.default() as store:
        store.record(replace(result(number=2), detections=(NOTICED,), cost=COST), [], START)
    assert seatrial(monkeypatch, "report", "list") == 0
    head, noticed, _ = capsys.readouterr().out.splitlines()
    assert "noticed" in head
    assert "crash: MemberDown fired after 300 … 900 ms; well again after 1.10 … 1.40 s" in noticed
    assert "1.90 … 2.00 EUR" in noticed
    assert seatrial(monkeypatch, "report", "list", "--json") == 0
    newest, oldest = json.loads(capsys.readouterr().out)["runs"]
    assert newest["detections"][0]["detect"] == {"lower_s": 0.3, "upper_s": 0.9}
    assert newest["cost"] == {
        "currency": "EUR", "lower": 0.002, "upper": 0.0021, "per_million_lower": 1.9, "per_million_upper": 2.0,
    }  # fmt: skip
    assert (oldest["detections"], oldest["cost"]) == ([], None)
    seatrial(monkeypatch, "compare", "database-crash-0001", "database-crash-0002")
    assert "cost of a million requests" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("latest",), "latest: there is no such directory, and no such run on record"),
        (("list", "--verdict", "good"), "--verdict: 'good' is no verdict; known: fail, pass, unknown"),
        (("list", "--since", "yesterday"), "--since: 'yesterday' is neither a date"),
        (("import", "home"), "home: neither this directory nor one in it holds a run"),
    ],
)
def test_what_is_not_there_is_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    record()
    assert seatrial(monkeypatch, "report", *arguments) == 64
    assert expected in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.e2e
def test_a_run_is_on_record_with_where_it_comes_from_and_can_be_put_there_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (
        "init -q",
        "add .",
        "-c user.name=t -c user.email=t@example.org commit -q --allow-empty -m x",
    ):
        subprocess.run(["git", *command.split()], cwd=place, check=True, capture_output=True)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=place, check=True, capture_output=True, text=True
    ).stdout.strip()
    with small_run(place, "1s") as run:
        with (place / "target.yaml").open("a") as target:
            target.write("version: {command: [echo, r17]}\n")
        done = subprocess.run(
            run.command, cwd=place, env=run.environment, capture_output=True, timeout=100, check=False
        )
        assert done.returncode in (0, 2), done.stderr.decode()
        evidence = run.evidence()
    assert run.verdict()["version"] == {"before": "r17", "after": "r17", "why": ""}
    (told,) = listed(monkeypatch, capsys)
    assert (told["directory"], told["revision"], told["rate"]) == (str(evidence), head, "50/s")
    assert told["version"] == {"before": "r17", "after": "r17"}
    assert {len(told["experiment_sha256"]), len(told["verdict_sha256"])} == {64}
    exit_code = seatrial(monkeypatch, "report", "latest")
    assert exit_code == done.returncode
    assert str(evidence / "report.html")[-40:] in capsys.readouterr().out.replace("\n", "")

    shutil.rmtree(place / "home")
    assert listed(monkeypatch, capsys) == []
    for word in ("recorded: ", "was on record: "):
        assert seatrial(monkeypatch, "report", "import", "runs") == 0
        assert word in capsys.readouterr().err
    assert listed(monkeypatch, capsys) == [told]

    with (evidence / "verdict.json").open("a") as altered:
        altered.write(" ")
    assert seatrial(monkeypatch, "report", "import", "runs") == 64
    assert "not imported" in capsys.readouterr().err
    shutil.rmtree(evidence)
    assert seatrial(monkeypatch, "report", told["run"]) == exit_code
    assert "from the run database alone" in capsys.readouterr().err


def listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert seatrial(monkeypatch, "report", "list", "--json") == 0
    runs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["runs"]
    return runs


def test_how_long_ago_is_told_by_the_calendar() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert instant_of("--since", "1mo", now) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert instant_of("--since", "2y", now) == datetime(2024, 3, 31, 12, tzinfo=UTC)
    assert instant_of("--since", "2w", now) == datetime(2026, 3, 17, 12, tzinfo=UTC)
    assert instant_of("--since", "2026-03-01T02:00:00+02:00", now) == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(BadInput, match="--since"):
        instant_of("--since", "9999y", now)
