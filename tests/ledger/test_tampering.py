"""Every way of tampering is found, and the entry that it spoilt is named. (1,000 of them: tests/bench.)"""

from __future__ import annotations

from pathlib import Path

from tests.support.ledger_tampering import HEIGHT, TRICKS, run_campaign

from seatrial.ledger import SoftwareSigner, verify
from seatrial.model.verdict import Verdict


def test_every_tampering_is_found(pristine: Path, tmp_path: Path, signer: SoftwareSigner) -> None:
    campaign = run_campaign(pristine, tmp_path, signer, count=7 * len(TRICKS), seed=1)
    assert campaign.missed == []
    assert campaign.tried.total() >= 150


def test_what_was_not_tampered_with_passes(pristine: Path, signer: SoftwareSigner) -> None:
    assert verify(pristine, [signer.verifier_key()], segment_height=HEIGHT).verdict is Verdict.PASS
