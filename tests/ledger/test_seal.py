"""A sealed run shows every later touch, and can be sealed again without hiding one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.ledger import Damaged, Ledger, SoftwareSigner, read_entries, seal, verify, verify_sealed
from seatrial.ledger.copies import CallbackCopy
from seatrial.ledger.seal import SEAL
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The evidence of a run."""
    directory = tmp_path / "run"
    (directory / "logs").mkdir(parents=True)
    (directory / "journal.jsonl").write_text(
        "".join(f'{{"t": {n}.5, "what": "step {n}"}}\n' for n in range(9))
    )
    (directory / "requests.parquet").write_bytes(bytes(range(256)) * 40)
    (directory / "logs" / "locust.log").write_text("started\n")
    (directory / "latest").symlink_to("logs")
    return directory


def test_an_untouched_run_passes(run: Path, signer: SoftwareSigner) -> None:
    assert seal(run, signer).verdict is Verdict.PASS
    report = verify_sealed(run, [signer.verifier_key()])
    assert report.verdict is Verdict.PASS
    assert report.files == 4
    assert str(report).startswith("4 files as sealed; 14 entries chain; 14 are signed")


def alter_a_byte(run: Path) -> None:
    data = bytearray((run / "requests.parquet").read_bytes())
    data[5000] ^= 1
    (run / "requests.parquet").write_bytes(data)


def alter_a_line(run: Path) -> None:
    (run / "journal.jsonl").write_text((run / "journal.jsonl").read_text().replace("step 4", "step 5"))


def drop_a_line(run: Path) -> None:
    lines = (run / "journal.jsonl").read_text().splitlines(keepends=True)
    (run / "journal.jsonl").write_text("".join(lines[:-1]))


def remove_a_file(run: Path) -> None:
    (run / "logs" / "locust.log").unlink()


def add_a_file(run: Path) -> None:
    (run / "verdict.json").write_text("{}")


def turn_a_link(run: Path) -> None:
    (run / "latest").unlink()
    (run / "latest").symlink_to("/etc")


def put_a_file_in_place_of_a_link(run: Path) -> None:
    (run / "latest").unlink()
    (run / "latest").write_text("logs")


@pytest.mark.parametrize(
    ("touch", "told"),
    [
        (alter_a_byte, "requests.parquet: altered: 10,240 bytes with SHA-256 "),
        (alter_a_line, "journal.jsonl: altered at line 5"),
        (drop_a_line, "journal.jsonl: altered: 9 lines were sealed, 8 are there"),
        (remove_a_file, "logs/locust.log: sealed, and missing"),
        (add_a_file, "verdict.json: was not there when the directory was sealed"),
        (turn_a_link, "latest: altered"),
        (put_a_file_in_place_of_a_link, "latest: altered"),
    ],
)
def test_every_touch_is_shown_and_not_sealed_over(
    run: Path, signer: SoftwareSigner, touch: Callable[[Path], None], told: str
) -> None:
    seal(run, signer)
    touch(run)
    report = verify_sealed(run, [signer.verifier_key()])
    assert report.verdict is Verdict.FAIL
    assert str(report).startswith(told)
    if touch is not add_a_file:
        with pytest.raises(Damaged, match="not sealed again"):
            seal(run, signer)


def test_a_report_drawn_anew_is_sealed_again(run: Path, signer: SoftwareSigner) -> None:
    seal(run, signer)
    (run / "report.html").write_text("first")
    assert seal(run, signer).verdict is Verdict.PASS
    (run / "report.html").write_text("second")
    remove_a_file(run)
    assert seal(run, signer, replaced=["report.html", "logs/locust.log"]).verdict is Verdict.PASS
    assert seal(run, signer).files == 4
    alter_a_line(run)
    assert verify_sealed(run, [signer.verifier_key()]).verdict is Verdict.FAIL


def test_a_seal_made_anew_by_a_stranger_is_not_believed(run: Path, signer: SoftwareSigner) -> None:
    alter_a_line(run)
    seal(run, SoftwareSigner.generate(signer.name))
    report = verify_sealed(run, [signer.verifier_key()])
    assert report.verdict is Verdict.FAIL
    assert str(report).startswith("the seal is not to be believed: ")
    with pytest.raises(Damaged, match="not sealed again: the seal is not to be believed"):
        seal(run, signer)


def test_a_seal_cut_short_is_caught_by_a_witness(run: Path, signer: SoftwareSigner, tmp_path: Path) -> None:
    seal(run, signer)
    shutil.copytree(run / SEAL, tmp_path / "old")
    kept: list[bytes] = []
    (run / "report.html").write_text("a failed run")
    seal(run, signer, copies=[CallbackCopy("run database", kept.append)])
    (run / "report.html").unlink()
    shutil.rmtree(run / SEAL)
    shutil.copytree(tmp_path / "old", run / SEAL)
    assert verify_sealed(run, [signer.verifier_key()]).verdict is Verdict.PASS
    assert verify_sealed(run, [signer.verifier_key()], witnessed=kept[-1:]).verdict is Verdict.FAIL


def test_a_recorded_ledger_is_sealed_by_file_and_shows_its_altered_line_itself(
    run: Path, signer: SoftwareSigner
) -> None:
    """A million entries must not make a million lines of the seal."""
    with Ledger(run / "recorded-audit", signer) as ledger:
        ledger.append_all({"number": n} for n in range(500))
    assert "entries chain" in str(seal(run, signer))
    assert sum(1 for _ in read_entries(run / SEAL)) < 50
    segment = run / "recorded-audit" / "segments" / f"{0:020d}.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b'"number":400', b'"number":401'))
    report = verify_sealed(run, [signer.verifier_key()])
    assert report.verdict is Verdict.FAIL
    assert str(report).startswith(f"recorded-audit/segments/{0:020d}.jsonl: altered: ")
    assert "entry 400" in str(verify(run / "recorded-audit", [signer.verifier_key()]).first_bad)


def test_an_unfinished_seal_counts_for_nothing(run: Path, signer: SoftwareSigner) -> None:
    with Ledger(run / SEAL, signer) as ledger:
        ledger.append({"kind": "file", "path": "journal.jsonl", "bytes": 1, "sha256": "00"})
    assert verify_sealed(run, [signer.verifier_key()]).verdict is Verdict.FAIL
    assert seal(run, signer).verdict is Verdict.PASS


def test_a_directory_without_a_seal(run: Path) -> None:
    with pytest.raises(BadInput, match=r"not sealed \(there is no seal/ in it\)"):
        verify_sealed(run, [])
