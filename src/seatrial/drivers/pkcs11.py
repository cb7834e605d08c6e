"""An HSM: {driver: pkcs11, module, address, token, key, pin: "${PIN}", pidfile, start, stop}."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from seatrial.drivers.binding import Binding
from seatrial.model.quantities import Duration


class Pkcs11Binding(Binding):
    """How to reach it, and which key signs."""

    driver: ClassVar[str] = "pkcs11"

    model_config = ConfigDict(coerce_numbers_to_str=True)

    module: str  # the vendor's library, or p11-kit-client.so
    address: str = ""  # for p11-kit-client.so: unix:path=/run/hsm.sock
    token: str  # label
    key: str  # label of both halves of the key pair
    pin: str = Field(repr=False)
    deadline: Duration = Duration(2.0)  # for logging in, and again for the signature
