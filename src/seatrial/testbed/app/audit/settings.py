"""How the audit log is signed, and what it does when nobody signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["continue", "refuse"]
MODES: tuple[Mode, ...] = ("continue", "refuse")
ORIGIN = "testbed/audit"


@dataclass(frozen=True, slots=True)
class Hsm:
    """Where the key is: what `Pkcs11Configuration` wants to know. `address`: its P11_KIT_SERVER_ADDRESS."""

    module: str
    address: str
    token: str
    key: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`continue`: take events that nobody has signed yet, up to `largest_backlog`. `refuse`: do not."""

    password: str = field(repr=False)  # of the role `audit`
    mode: Mode
    hsm: Hsm | None
    seed: str = field(repr=False)  # of the software key, used where there is no HSM
    largest_backlog: int = 2_000_000  # events
    oldest_unsigned_s: float = 5.0  # in mode `refuse`
