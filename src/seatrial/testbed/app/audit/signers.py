"""Who signs the audit log: the HSM, or, where there is none, a software key as the lesser mode."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.ledger.signer import Signer, SoftwareSigner
from seatrial.testbed.app.audit.settings import ORIGIN, AuditSettings


def signer(settings: AuditSettings) -> Signer:
    """Not connected yet: an HSM may be away."""
    hsm = settings.hsm
    if hsm is None:
        key = Ed25519PrivateKey.from_private_bytes(sha256(settings.seed.encode()).digest())
        return SoftwareSigner(ORIGIN, key)
    configuration = Pkcs11Configuration(Path(hsm.module), hsm.token, hsm.key, hsm.pin, address=hsm.address)
    return Pkcs11Signer(ORIGIN, configuration)
