"""An HSM by PKCS#11, bound as `drivers.pkcs11` says: a signature is the proof that it works.

A PKCS#11 call has no deadline, so the signature is made in a process of its own (see `ledger/pkcs11.py`).
"""

from __future__ import annotations

import secrets

from seatrial.drivers.pkcs11 import Pkcs11Binding
from seatrial.faults.protocol import Role
from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.ledger.signer import SignerUnavailable

DRIVERS = frozenset({"pkcs11"})


def signs(role: Role) -> bool:
    """Whether the HSM signs within the role's deadline."""
    return not wrong_with(role, role.bound_to(Pkcs11Binding).deadline.seconds)


def wrong_with(role: Role, within_s: float) -> str:
    """Have a nonce signed, and verify it: what is wrong; empty when nothing is."""
    binding = role.bound_to(Pkcs11Binding)
    configuration = Pkcs11Configuration(
        role.path(binding.module),
        binding.token,
        binding.key,
        binding.pin,
        deadline_s=within_s,
        start_deadline_s=within_s,
        address=binding.address,
    )
    nonce = secrets.token_bytes(32)
    try:
        with Pkcs11Signer(role.name, configuration) as signer:
            signature = signer.sign(nonce)
            true = signer.verifier_key().verifies(nonce, signature)
    except SignerUnavailable as error:
        return str(error)
    return "" if true else f"the signature is not one of the key '{binding.key}'"
