"""Evidence that leaves: only what is known, whole and old; never through a link; and never unsaid."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.results import result

from seatrial.matrix.conditions import Written
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.report.verdictfile import verdict_document
from seatrial.run.evidence import Evidence
from seatrial.run.origin import origin_of
from seatrial.run.sealing import seal_evidence
from seatrial.store import RunQuery, Store
from seatrial.trials import retention
from seatrial.trials.readiness import StoredRuns

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEATRIAL_DATABASE", raising=False)
    return tmp_path


def old_run(place: Path, number: int = 1) -> Path:
    """A sealed run of 2026-03, on record."""
    told = result(Verdict.PASS, number)
    directory = place / "runs" / told.run
    directory.mkdir(parents=True)
    (directory / "experiment.yaml").write_text("experiment: x\n")
    (directory / "verdict.json").write_text(json.dumps(verdict_document(told)))
    seal_evidence(Evidence(directory), place / "home")
    with Store.default() as store:
        store.record(told, [], NOW, origin_of(directory))
    return directory


def prune(monkeypatch: pytest.MonkeyPatch, *options: str, keep: str = "1d") -> int:
    return seatrial(monkeypatch, "report", "prune", "--keep", keep, *options)


def with_evidence() -> int:
    with Store.default() as store:
        return store.history.count(RunQuery(with_evidence=True))


def test_old_evidence_is_deleted_and_its_record_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = old_run(place)
    assert prune(monkeypatch, "--yes", keep="99y") == 0
    assert "no evidence on this machine is older than 99y" in capsys.readouterr().err
    assert prune(monkeypatch, "--dry-run", "--json") == 0
    told = capsys.readouterr()
    assert "would be deleted" in told.err
    assert json.loads(told.out)["would_delete"] == [directory.name]
    assert prune(monkeypatch) == 64
    assert "nobody can be asked here" in capsys.readouterr().err
    assert directory.is_dir()

    assert prune(monkeypatch, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["deleted"] == [directory.name]
    assert list((place / "runs").iterdir()) == []
    assert with_evidence() == 0
    assert seatrial(monkeypatch, "report", "latest") == 0
    assert "evidence deleted at" in capsys.readouterr().err
    assert prune(monkeypatch, "--yes") == 0


def _alter(directory: Path) -> None:
    (directory / "experiment.yaml").write_text("experiment: y\n")


def _add(directory: Path) -> None:
    (directory / "notes.txt").write_text("mine")


def _unseal(directory: Path) -> None:
    shutil.rmtree(directory / "seal")


def _swap(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))
    directory.symlink_to("elsewhere")


def _other_verdict(directory: Path) -> None:
    with (directory / "verdict.json").open("a") as file:
        file.write(" ")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_alter, "experiment.yaml: altered"),
        (_add, "notes.txt: was not there when"),
        (_unseal, "not sealed"),
        (_swap, "a link leads to it"),
        (_other_verdict, "its verdict is not the one that was recorded"),
    ],
)
def test_what_is_not_as_it_was_recorded_is_left_alone_and_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], change: object, why: str
) -> None:
    directory = old_run(place)
    assert callable(change)
    change(directory)
    before = sorted(str(path) for path in (place / "runs").rglob("*"))
    assert prune(monkeypatch, "--yes", "--json") == 0
    told = capsys.readouterr()
    assert why in json.loads(told.out)["left_alone"][directory.name]
    assert sorted(str(path) for path in (place / "runs").rglob("*")) == before
    assert with_evidence() == 1
    assert seatrial(monkeypatch, "report", "export", "archive") == 1
    assert not (place / "archive").exists()


def test_a_link_inside_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "precious").mkdir()
    (place / "precious" / "file").write_text("kept")
    told = result(Verdict.PASS, 1)
    directory = place / "runs" / told.run
    directory.mkdir(parents=True)
    (directory / "out").symlink_to(place / "precious")
    (directory / "verdict.json").write_text(json.dumps(verdict_document(told)))
    seal_evidence(Evidence(directory), place / "home")
    with Store.default() as store:
        store.record(told, [], NOW, origin_of(directory))
    assert prune(monkeypatch, "--yes") == 0
    assert not directory.exists()
    assert (place / "precious" / "file").read_text() == "kept"


@pytest.mark.parametrize("noted", [False, True])
def test_whoever_is_killed_while_deleting_leaves_it_to_the_next(
    place: Path, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    directory = old_run(place)
    directory.rename(directory.with_name(f"{directory.name}.being-deleted"))
    if noted:
        (directory.with_name(f"{directory.name}.being-deleted") / "verdict.json").unlink()
        with Store.default() as store:
            store.history.evidence_deleted(directory.name, "testbed", NOW)
    assert prune(monkeypatch, "--yes") == 0
    assert list((place / "runs").iterdir()) == []
    assert with_evidence() == 0


def test_evidence_is_exported_verified_and_found_again(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = old_run(place, 1), old_run(place, 2)
    assert seatrial(monkeypatch, "report", "export", "archive", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)["exported"]) == {first.name, second.name}
    assert seatrial(monkeypatch, "verify", f"archive/{first.name}") == 0
    assert seatrial(monkeypatch, "report", "export", "archive") == 0
    assert "nothing to export" in capsys.readouterr().err
    assert prune(monkeypatch, "--yes", "--exported") == 0
    assert with_evidence() == 0
    assert seatrial(monkeypatch, "report", first.name) == 0
    assert f"a copy is at {place}/archive/{first.name}" in " ".join(capsys.readouterr().err.split())
    assert seatrial(monkeypatch, "report", "import", "archive") == 0
    assert with_evidence() == 2


def test_a_command_exports_to_where_no_directory_is(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = old_run(place)
    script = "import sys; open('asked', 'w').write(' '.join(sys.argv[1:]))"
    (place / "put.py").write_text(script)
    put = "python3 put.py {from} {to} ';touch' hacked"
    assert seatrial(monkeypatch, "report", "export", "s3://bucket/evidence", "--by", put) == 0
    assert (place / "asked").read_text() == f"{directory} s3://bucket/evidence/{directory.name} ;touch hacked"
    assert seatrial(monkeypatch, "report", "export", "s3://b", "--by", "false {from}") == 2
    assert seatrial(monkeypatch, "report", "export", "s3://b", "--by", "false") == 64
    with Store.default() as store:
        assert store.history.runs()[0].exported_to == f"s3://bucket/evidence/{directory.name}"


def test_an_age_is_an_age(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old_run(place)
    for keep in ("0d", "2026-01-01", "20270101", "forever", "-3mo", ""):
        assert prune(monkeypatch, "--yes", keep=keep) == 64
        assert "--keep" in capsys.readouterr().err
    assert with_evidence() == 1


def test_another_hosts_evidence_is_not_ours_to_delete(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = old_run(place)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert prune(monkeypatch, "--yes") == 0
    assert directory.is_dir()
    with Store.default() as store:
        (run,) = store.history.runs()
        kept = retention.Kept(run, directory, 0, "left alone")
        with pytest.raises(BadInput, match="left alone"):
            retention.delete(store, kept, NOW)


def test_what_rested_on_deleted_evidence_is_stale(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_run(place)

    def gone() -> str:
        with Store.default() as store:
            found = StoredRuns(store, ()).latest("database-crash", "testbed", Written(place / "x.yaml"))
        assert found is not None
        return found.gone

    assert gone() == ""
    assert prune(monkeypatch, "--yes") == 0
    assert gone().startswith("evidence deleted at")
