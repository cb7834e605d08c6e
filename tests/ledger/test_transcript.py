"""What is written down from elsewhere is a ledger like any other, across segments."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.ledger_tampering import HEIGHT, Log

from seatrial.ledger import SoftwareSigner, inspect, prove, read_verifier_keys, verify
from seatrial.ledger.transcript import KEYS, Transcript
from seatrial.model.verdict import Verdict


@pytest.mark.parametrize("rows", [1, 7, 64, 1000])
def test_it_is_the_ledger_that_it_was(
    rows: int, pristine: Path, tmp_path: Path, signer: SoftwareSigner
) -> None:
    log = Log.read(pristine, signer)
    lines = [line.decode().rstrip("\n") for line in log.lines]
    transcript = Transcript(tmp_path / "ledger", HEIGHT)
    for start in range(0, len(lines), rows):
        transcript.append(lines[start : start + rows])
    transcript.finish([note.decode() for note in log.notes], [signer.verifier_key()])
    assert transcript.entries == len(lines)
    keys = read_verifier_keys(tmp_path / "ledger" / KEYS)
    assert verify(tmp_path / "ledger", keys, segment_height=HEIGHT).verdict is Verdict.PASS
    whole, copy = (inspect(place, segment_height=HEIGHT) for place in (pristine, tmp_path / "ledger"))
    assert whole == copy
    proof = prove(tmp_path / "ledger", 17, keys, segment_height=HEIGHT)
    assert str(proof) == str(prove(pristine, 17, keys, segment_height=HEIGHT))
