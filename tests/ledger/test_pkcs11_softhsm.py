"""Signing in a real HSM (SoftHSM2 behind p11-kit), which is killed, stopped and brought back."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import ledger_hsm
from tests.support.ledger_hsm import Hsm

from seatrial.ledger import CheckpointPolicy, Ledger, SignerUnavailable, verify
from seatrial.ledger.pkcs11 import Pkcs11Signer
from seatrial.model.problems import Unavailable
from seatrial.model.verdict import Verdict

NAME = "seatrial.test/hsm"
POLICY = CheckpointPolicy(every_events=50, every_s=0.05, retry_s=0.05, largest_backlog=500)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(ledger_hsm.missing()), reason=f"no SoftHSM here: {ledger_hsm.missing()} missing"),
]


@pytest.fixture
def hsm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    with tempfile.TemporaryDirectory(prefix="hsm") as directory:  # a socket's path must be short
        hsm = Hsm(Path(directory))
        monkeypatch.setenv("P11_KIT_SERVER_ADDRESS", hsm.address)
        hsm.start()
        yield hsm
        hsm.stop()


@pytest.fixture
def signer(hsm: Hsm) -> Iterator[Pkcs11Signer]:
    with Pkcs11Signer(NAME, hsm.configuration) as signer:
        yield signer


def test_a_ledger_signed_in_the_hsm_passes(tmp_path: Path, signer: Pkcs11Signer) -> None:
    with Ledger(tmp_path, signer, policy=POLICY) as ledger:
        ledger.append_all([{"n": n} for n in range(1000)])
    report = verify(tmp_path, [signer.verifier_key()])
    assert report.verdict is Verdict.PASS
    assert report.signed == 1000


def test_it_signs_again_after_a_restart(hsm: Hsm, signer: Pkcs11Signer) -> None:
    assert signer.verifier_key().verifies(b"before", signer.sign(b"before"))
    hsm.stop()
    for _ in range(2):
        with pytest.raises(SignerUnavailable):
            signer.sign(b"while it is away")
    hsm.start()
    assert signer.verifier_key().verifies(b"after", signer.sign(b"after"))


def test_a_stopped_hsm_costs_a_deadline_and_no_more(hsm: Hsm, signer: Pkcs11Signer) -> None:
    signer.sign(b"before")
    hsm.signal(signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(SignerUnavailable, match="no answer within 1 s"):
        signer.sign(b"while it hangs")
    assert time.monotonic() - start < 10
    hsm.signal(signal.SIGCONT)
    assert signer.verifier_key().verifies(b"after", signer.sign(b"after"))


def test_appending_goes_on_without_the_hsm_and_signing_catches_up(
    hsm: Hsm, tmp_path: Path, signer: Pkcs11Signer
) -> None:
    with Ledger(tmp_path, signer, policy=POLICY) as ledger:
        ledger.append({"n": 0})
        assert ledger.checkpoint()
        hsm.stop()
        ledger.append_all([{"n": n} for n in range(1, 400)])
        assert not ledger.checkpoint(timeout_s=0.5)
        assert ledger.status().backlog == 399
        assert "not signed at 400 entries" in ledger.status().failure
        with pytest.raises(Unavailable, match="refused: 600 entries would be unsigned, 500 are borne"):
            ledger.append_all([{"n": n} for n in range(400, 601)])
        hsm.start()
        assert ledger.checkpoint()
        assert ledger.status().backlog == 0
        ledger.append_all([{"n": n} for n in range(400, 601)])
    assert verify(tmp_path, [signer.verifier_key()]).verdict is Verdict.PASS


def test_another_key_under_the_same_label_is_not_used(hsm: Hsm, signer: Pkcs11Signer) -> None:
    known = signer.verifier_key()
    hsm.import_key("other")
    other = Pkcs11Signer(NAME, hsm.configuration.__class__(hsm.configuration.module, ledger_hsm.TOKEN, "other",
                                                           ledger_hsm.PIN), public=known)  # fmt: skip
    with other, pytest.raises(SignerUnavailable, match="the key 'other' is not"):
        other.sign(b"text")


def test_a_wrong_pin_is_told(hsm: Hsm) -> None:
    right = hsm.configuration
    wrong = right.__class__(right.module, right.token, right.key, "0000")
    with Pkcs11Signer(NAME, wrong) as signer, pytest.raises(SignerUnavailable, match="PinIncorrect"):
        signer.verifier_key()
