"""Proofs of a real log convince whoever has the key, and nobody is convinced by less."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from tests.support.ledger_tampering import ENTRIES, HEIGHT, Log, write_pristine

from seatrial.ledger import Damaged, InclusionProof, Ledger, SoftwareSigner, prove, prove_consistency
from seatrial.ledger.checkpoints import read_notes
from seatrial.ledger.note import NoteError
from seatrial.model.problems import BadInput


@pytest.mark.parametrize("seq", [0, 1, 63, 64, 127, 200, 255, 256, 299])
def test_every_entry_can_be_proven(pristine: Path, signer: SoftwareSigner, seq: int) -> None:
    keys = [signer.verifier_key()]
    text = str(prove(pristine, seq, keys, segment_height=HEIGHT))
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    proof = InclusionProof.parse(text)
    assert proof.check(keys).size == ENTRIES
    assert f'"object":"order/{seq}"'.encode() in proof.body
    with pytest.raises(NoteError, match=r"is not under the root that seatrial\.test/ledger signed"):
        dataclasses.replace(proof, body=proof.body.replace(b"order", b"Order")).check(keys)
    with pytest.raises(NoteError, match="is not under the root"):
        dataclasses.replace(proof, seq=seq ^ 1).check(keys)
    with pytest.raises(NoteError, match="no trusted key"):
        proof.check([SoftwareSigner.generate(signer.name).verifier_key()])


def test_a_log_of_full_segments_only(tmp_path: Path, signer: SoftwareSigner) -> None:
    write_pristine(tmp_path / "full", signer, entries=3 << HEIGHT)
    for seq in (0, 100, (3 << HEIGHT) - 1):
        prove(tmp_path / "full", seq, [signer.verifier_key()], segment_height=HEIGHT)


def test_recorded_roots_are_not_needed(pristine: Path, tmp_path: Path, signer: SoftwareSigner) -> None:
    copy = shutil.copytree(pristine, tmp_path / "copy")
    (copy / "subtrees.txt").unlink()
    assert prove(copy, 5, segment_height=HEIGHT) == prove(pristine, 5, segment_height=HEIGHT)


def test_the_log_has_only_grown_since_each_checkpoint(pristine: Path, signer: SoftwareSigner) -> None:
    keys = [signer.verifier_key()]
    for stored in read_notes(pristine / "checkpoints.txt")[0]:
        old, new = prove_consistency(pristine, stored.note, keys, segment_height=HEIGHT).check(keys)
        assert old.size <= new.size == ENTRIES


def test_a_wrong_consistency_proof_is_refused(pristine: Path, signer: SoftwareSigner) -> None:
    keys = [signer.verifier_key()]
    older = read_notes(pristine / "checkpoints.txt")[0][2].note
    proof = prove_consistency(pristine, older, keys, segment_height=HEIGHT)
    with pytest.raises(NoteError, match="does not begin with the log at 120"):
        dataclasses.replace(proof, path=proof.path[:-1]).check(keys)


def test_nothing_is_proven_of_an_altered_log(pristine: Path, tmp_path: Path, signer: SoftwareSigner) -> None:
    copy = shutil.copytree(pristine, tmp_path / "copy")
    older = read_notes(copy / "checkpoints.txt")[0][4].note
    log = Log.read(copy, signer)
    log.rehash(10, [b"{}", *log.events(11)])
    log.write()
    with pytest.raises(Damaged, match="the entries are not those that were signed"):
        prove(copy, 5, segment_height=HEIGHT)
    with pytest.raises(Damaged, match="the first 200 entries are not those that were signed"):
        prove_consistency(copy, older, segment_height=HEIGHT)


def test_what_cannot_be_proven_is_said(tmp_path: Path, pristine: Path, signer: SoftwareSigner) -> None:
    with pytest.raises(BadInput, match="entry 300 is not one of the 300 signed ones"):
        prove(pristine, 300, segment_height=HEIGHT)
    with pytest.raises(Damaged, match=r"checkpoints\.txt: the last one: no trusted key"):
        prove(pristine, 3, [SoftwareSigner.generate("x").verifier_key()], segment_height=HEIGHT)
    Ledger(tmp_path, signer).close()
    with pytest.raises(BadInput, match="nothing is signed yet"):
        prove(tmp_path, 0)


@pytest.mark.parametrize(
    "text", ["", "c2sp.org/tlog-proof@v1\nindex 3\n\nnote", "c2sp.org/tlog-proof@v1\nextra !\nindex 3\n\n"]
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a proof of the form"):
        InclusionProof.parse(text)
