"""Evidence is never written over, and the journal is whole line by line."""

import errno
import json
import multiprocessing
import os
import signal
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatrial.files import read
from seatrial.model import secrets
from seatrial.model.problems import BadInput, CannotStore
from seatrial.run.description import description_of
from seatrial.run.evidence import ROOM, Evidence, RunJournal, read_journal
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


def test_the_runs_of_a_monthly_suite_are_told_apart(tmp_path: Path) -> None:
    """Their directories have the same names each month, and a run is recorded once."""
    months = [datetime(2026, month, 1, 2, 30, tzinfo=UTC) for month in (10, 11)]
    runs = [Evidence.create("crash", month, tmp_path / f"{month:%m}" / "01-crash").run for month in months]
    assert runs == ["20261001T023000Z-01-crash", "20261101T023000Z-01-crash"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO])
def test_a_disk_that_takes_no_directory_is_no_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "run"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CannotStore, match=f"{tmp_path}/run.*{os.strerror(number)}") as caught:
        Evidence.create("crash", NOW, tmp_path / "run")
    assert caught.value.exit_code == 2


def test_of_a_run_that_was_not_started_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Evidence.create("crash", NOW, tmp_path / "run")
    evidence.write_text("experiment.yaml", "experiment: crash\n")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", refuse)
        assert not evidence.discard()
    assert evidence.discard()
    assert not evidence.directory.exists()


def test_room_for_the_end_is_kept_and_given_up(tmp_path: Path) -> None:
    evidence = Evidence.create("crash", NOW, tmp_path / "run")
    evidence.keep_room()
    assert evidence.path(".room").stat().st_blocks * 512 >= ROOM
    evidence.give_room()
    assert list(evidence.directory.iterdir()) == []


class Refusing:
    """`os.write` that refuses after so many bytes of a line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.after: int | None = None
        self._write = os.write
        monkeypatch.setattr("os.write", self)

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.after is None:
            return self._write(descriptor, data)
        if self.after == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(descriptor, data[: self.after])
        self.after = 0
        return written


@pytest.mark.parametrize("torn", [0, 7])
def test_a_line_that_the_disk_did_not_take_comes_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: int
) -> None:
    path = tmp_path / "journal.jsonl"
    journal, disk = RunJournal(path), Refusing(monkeypatch)
    journal.write("first", 1.0, NOW)
    disk.after = torn
    journal.write("second", 2.0, NOW)  # from a thread that has a target to put back
    assert [event["event"] for event in read_journal(path)] == ["first"]
    assert "No space left" in str(journal.trouble)
    disk.after = None
    journal.write("third", 3.0, NOW)
    journal.close()
    assert [event["event"] for event in read_journal(path)] == ["first", "second", "third"]


def test_lines_that_were_never_kept_are_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, disk = RunJournal(tmp_path / "journal.jsonl"), Refusing(monkeypatch)
    disk.after = 0
    journal.write("lost", 1.0, NOW)
    with pytest.raises(CannotStore, match=r"journal\.jsonl"):
        journal.close()


def test_a_torn_line_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event": "first"}\n{"event": "sec')
    journal = RunJournal(path)
    journal.write("third", 3.0, NOW)
    journal.close()
    assert [event["event"] for event in read_journal(path)] == ["first", "third"]


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
    described = description_of(make_plan(read("x.yaml", "experiment"), read("t.yaml", "target")))
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
