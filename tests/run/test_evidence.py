"""Evidence is never written over, and the journal is whole line by line."""

import json
import multiprocessing
import os
import signal
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatrial.model import secrets
from seatrial.model.problems import BadInput
from seatrial.run.evidence import Evidence, RunJournal
from seatrial.run.execute import _describe as describe
from seatrial.run.files import read
from seatrial.run.plan import make_plan

NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)


def test_two_runs_of_one_second_get_a_directory_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [Evidence.create("crash", NOW).run for _ in range(3)]
    assert names == ["20261101T023000Z-crash", "20261101T023000Z-crash-2", "20261101T023000Z-crash-3"]


def test_evidence_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text("{}")
    with pytest.raises(BadInput, match="not empty"):
        Evidence.create("crash", NOW, tmp_path)
    with pytest.raises(BadInput, match="cannot make"):
        Evidence.create("crash", NOW, tmp_path / "verdict.json" / "below")


def test_a_manifest_names_what_is_there(tmp_path: Path) -> None:
    evidence = Evidence.create("crash", NOW, tmp_path / "run")
    evidence.write_text("experiment.yaml", "experiment: crash\n")
    evidence.write_text("requests.parquet", "rows")
    manifest = evidence.manifest()
    assert manifest["requests"] == "requests.parquet"
    assert len(manifest["sha256"]) == 64
    assert "load_log" not in manifest


def _write_until_killed(path: Path) -> None:
    journal = RunJournal(path)
    for number in range(1_000_000):
        journal.write("tick", float(number), NOW, number=number)


def test_a_killed_writer_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = multiprocessing.get_context("spawn").Process(target=_write_until_killed, args=(path,))
    writer.start()
    while not path.exists() or path.stat().st_size < 5_000:
        assert writer.is_alive()
        writer.join(0.01)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    numbers = [json.loads(line)["number"] for line in path.read_text().splitlines()]
    assert numbers == list(range(len(numbers)))


TOKEN = "s3cret-T0ken"


def test_texts_are_written_without_secrets(tmp_path: Path) -> None:
    secrets.remember(TOKEN, "${TOKEN}")
    secrets.remember("1234", "${PIN}")
    evidence = Evidence.create("crash", NOW, tmp_path / "run")
    evidence.write_text("report.html", f"<p>{TOKEN}, 1234 rows</p>")
    evidence.write_json("verdict.json", {"reasons": [f"HTTP 500: {TOKEN}", "the PIN 1234"], "rows": 1234})
    journal = RunJournal(evidence.path("journal.jsonl"))
    journal.write("probe.unwell", 1.0, NOW, wrong=f"GET http://user:pw@host/{TOKEN}")
    journal.close()
    assert evidence.path("report.html").read_text() == "<p>${TOKEN}, 1234 rows</p>"
    assert json.loads(evidence.path("verdict.json").read_text()) == {
        "reasons": ["HTTP 500: ${TOKEN}", "the PIN ${PIN}"],
        "rows": 1234,
    }
    assert (
        json.loads(evidence.path("journal.jsonl").read_text())["wrong"] == "GET http://user:***@host/${TOKEN}"
    )


def test_a_command_is_recorded_without_what_a_reference_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    monkeypatch.setattr("sys.argv", ["/bin/seatrial", "run", "x.yaml", "--metrics-textfile", f"/m/{TOKEN}"])
    Path("scenario.py").write_text("")
    Path("x.yaml").write_text("experiment: x\nload: {scenario: scenario.py, rate: 1/s}\nduration: 1s\n")
    Path("t.yaml").write_text('target: shop\nbase_url: "http://user:${SHOP_TOKEN}@127.0.0.1:1"\n')
    described = describe(make_plan(read("x.yaml", "experiment"), read("t.yaml", "target")))
    assert described["machine"]["command"] == "seatrial run x.yaml --metrics-textfile /m/${SHOP_TOKEN}"
    assert described["target"]["base_url"] == "http://user:${SHOP_TOKEN}@127.0.0.1:1"
    assert TOKEN not in json.dumps(described)


def test_evidence_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        evidence = Evidence.create("crash", NOW)
        evidence.write_text("report.html", "")
        with evidence.create_file("stored-writes.parquet") as file:
            file.write(b"rows")
        RunJournal(evidence.path("journal.jsonl")).close()
    finally:
        os.umask(before)
    modes = {
        path.name: oct(stat.S_IMODE(path.stat().st_mode))
        for path in (evidence.directory, *evidence.directory.iterdir())
    }
    assert modes.pop(evidence.run) == "0o700"
    assert set(modes.values()) == {"0o600"}
    assert len(modes) == 3
