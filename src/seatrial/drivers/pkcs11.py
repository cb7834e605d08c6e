"""An HSM.

    {driver: pkcs11, module: /usr/lib/softhsm/libsofthsm2.so, token: audit, key: signing, pin: "${PIN}"}

A signature is the proof that it works. A PKCS#11 call has no deadline, so the signature is made in a process
of its own (see `ledger/pkcs11.py`).

Where a vendor's library connects to is said by its own configuration and done in C: no allow list is held on
that. What a target itself can say is p11-kit's `address`, and that must be a Unix socket of this machine.
"""

from __future__ import annotations

import secrets
from typing import ClassVar

from pydantic import ConfigDict, Field

from seatrial.drivers.binding import Binding
from seatrial.extras import HSM, Extra
from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.ledger.signer import SignerUnavailable
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration
from seatrial.model.role import Role


class Pkcs11Binding(Binding):
    """An HSM: how to reach it, and which key signs."""

    driver: ClassVar[str] = "pkcs11"
    extra: ClassVar[Extra | None] = HSM

    model_config = ConfigDict(coerce_numbers_to_str=True)

    module: str = Field(examples=["/usr/lib/softhsm/libsofthsm2.so"])
    """The vendor's library, or p11-kit-client.so."""
    address: str = Field(default="", examples=["unix:path=/run/hsm.sock"])
    """Of p11-kit-client.so alone: the socket that it connects to."""
    token: str = Field(examples=["audit"])
    """The label of the token."""
    key: str = Field(examples=["signing"])
    """The label of both halves of the key pair."""
    pin: str = Field(repr=False, examples=["${PIN}"])
    """The PIN of whoever signs."""
    deadline: Duration = Duration(2.0)
    """The time for logging in, and again for the signature."""


DRIVERS = frozenset({"pkcs11"})


def signs(role: Role) -> bool:
    """Whether the HSM signs within the role's deadline."""
    return not wrong_with(role, role.bound_to(Pkcs11Binding).deadline.seconds)


def wrong_with(role: Role, within_s: float) -> str:
    """Have a nonce signed, and verify it: what is wrong; empty when nothing is."""
    binding = role.bound_to(Pkcs11Binding)
    if binding.address and not binding.address.startswith("unix:"):
        raise BadInput(
            f"roles.{role.name}.address: '{binding.address}' is no Unix socket (unix:path=…), and no allow "
            "list can be held on it"
        )
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
