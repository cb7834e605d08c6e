"""What the verifier says when nothing, or not everything, is wrong. (Tampering: `test_tampering`.)"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.ledger_tampering import ENTRIES, HEIGHT, Log, write_pristine

from seatrial.ledger import SoftwareSigner, VerifyReport, verify
from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.layout import Layout
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict


def look(directory: Path, *signers: SoftwareSigner, witnessed: tuple[bytes, ...] = ()) -> VerifyReport:
    keys = [signer.verifier_key() for signer in signers]
    return verify(directory, keys, witnessed=witnessed, segment_height=HEIGHT)


@pytest.fixture
def copy(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "copy")


def test_a_whole_ledger_passes(pristine: Path, signer: SoftwareSigner) -> None:
    report = look(pristine, signer)
    assert report.verdict is Verdict.PASS
    assert (report.entries, report.signed, report.checkpoints) == (ENTRIES, ENTRIES, 8)
    assert str(report) == "300 entries chain; 300 are signed, by 8 checkpoints"
    assert report.first_bad is None


def test_without_a_key_nothing_is_proven(pristine: Path) -> None:
    report = look(pristine)
    assert report.verdict is Verdict.UNKNOWN
    assert "no key was given, so anybody may have signed them" in str(report)


def test_without_checkpoints_nothing_is_proven(copy: Path, signer: SoftwareSigner) -> None:
    (copy / "checkpoints.txt").unlink()
    report = look(copy, signer)
    assert report.verdict is Verdict.UNKNOWN
    assert "entries 0 … 299 are not signed yet" in str(report)


def test_a_torn_line_is_not_yet_an_entry(copy: Path, signer: SoftwareSigner) -> None:
    with Layout(copy, HEIGHT).segment(ENTRIES).open("ab") as file:
        file.write(b'{"event":{"half')
    report = look(copy, signer)
    assert report.verdict is Verdict.UNKNOWN
    assert str(report).endswith("15 bytes at the end are torn (the next opening cuts them off)")


def test_the_finding_says_where(copy: Path, signer: SoftwareSigner) -> None:
    path = Layout(copy, HEIGHT).segment(70)
    path.write_bytes(path.read_bytes().replace(b"order/70", b"order/71"))
    report = look(copy, signer)
    assert str(report) == f"{path}:7: entry 70: altered: its content does not have its hash"
    assert (report.entries, report.signed) == (70, 40)


def test_a_rewritten_history_is_placed_between_two_checkpoints(copy: Path, signer: SoftwareSigner) -> None:
    log = Log.read(copy, signer)
    log.rehash(90, [b"{}", *log.events(91)])
    log.write()
    bad = look(copy, signer).first_bad
    assert bad is not None
    assert (bad.seq, bad.last) == (80, 119)
    assert str(bad) == (
        f"{copy / 'checkpoints.txt'}:13: entries 80 … 119: "
        "the chain holds, but these are not the entries that were signed"
    )


def test_a_wrong_recorded_root_is_found(copy: Path, signer: SoftwareSigner) -> None:
    roots = (copy / "subtrees.txt").read_text().splitlines()
    (copy / "subtrees.txt").write_text("\n".join([*roots[:2], roots[0], *roots[3:], ""]))
    report = look(copy, signer)
    assert str(report) == f"{copy / 'subtrees.txt'}:3: entries 128 … 191: their root is not the recorded one"


def test_a_log_restored_from_an_old_copy_is_caught_by_a_witness(
    tmp_path: Path, pristine: Path, signer: SoftwareSigner
) -> None:
    write_pristine(tmp_path / "old", signer, entries=100)
    assert look(tmp_path / "old", signer).verdict is Verdict.PASS
    kept = read_notes(pristine / "checkpoints.txt")[0][-1].note
    report = look(tmp_path / "old", signer, witnessed=(kept,))
    assert str(report) == (
        "witnessed checkpoint 1: entries 100 … 299: missing: the log has 100 of 300 signed entries"
    )


def test_another_log_of_the_same_key_is_caught_by_a_witness(
    tmp_path: Path, pristine: Path, signer: SoftwareSigner
) -> None:
    write_pristine(tmp_path / "other", signer, salt=1)
    kept = read_notes(pristine / "checkpoints.txt")[0][-1].note
    assert look(tmp_path / "other", signer, witnessed=(kept,)).verdict is Verdict.FAIL


def test_progress_is_told(pristine: Path, signer: SoftwareSigner) -> None:
    told: list[tuple[int, int]] = []
    verify(
        pristine,
        [signer.verifier_key()],
        segment_height=HEIGHT,
        progress=lambda done, of: told.append((done, of)),
    )
    sizes = [path.stat().st_size for path in sorted((pristine / "segments").iterdir())]
    assert told == [(sum(sizes[: number + 1]), sum(sizes)) for number in range(5)]


def test_where_no_ledger_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no ledger here \(there is no segments/ in it\)"):
        verify(tmp_path, [])
