"""The keys that people sign with: software keys, and names for keys that an HSM holds.

    $SEATRIAL_HOME/keys/<name>          an Ed25519 key (PEM), its owner's alone
                       /<name>.pub      its public half, one verifier key
                       /<name>.pkcs11   where an HSM's key is: module, token, label, variable with its PIN

A software key shows that whoever signed had this file; a key of an HSM, that they had the HSM and its PIN.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from seatrial import disk
from seatrial.home import private_directory
from seatrial.ledger.note import VerifierKey
from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.ledger.signer import Signer, SoftwareSigner, read_verifier_keys
from seatrial.model.problems import BadInput, nearest

MACHINE = "ledger"
"""The key that this machine seals evidence with; no person's."""

_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_HSM = ".pkcs11"


@dataclass(frozen=True, slots=True)
class HsmPlace:
    """Where an HSM's key is. `pin`: the environment variable that holds the PIN, which is kept nowhere."""

    module: str
    token: str
    label: str
    pin: str

    def signer(self, name: str, public: VerifierKey | None, environment: Mapping[str, str]) -> Pkcs11Signer:
        """Signs with it. Raises BadInput when the PIN's variable is not set."""
        if self.pin not in environment:
            raise BadInput(
                f"the PIN of {name} is read from the environment variable {self.pin}, which is not set"
            )
        configuration = Pkcs11Configuration(Path(self.module), self.token, self.label, environment[self.pin])
        return Pkcs11Signer(name, configuration, public=public)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that this machine can sign with."""

    name: str
    public: VerifierKey
    hsm: HsmPlace | None = None  # None: a software key

    @property
    def held_by(self) -> str:
        """Who holds its private half."""
        return f"HSM token {self.hsm.token}" if self.hsm else "a file of this machine"


class Keys:
    """The keys in a state directory."""

    def __init__(self, home: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._place = home / "keys"
        self._environment = environment

    def make(self, name: str) -> Key:
        """A new software key. Raises BadInput for a name that is taken or none, CannotStore."""
        path = self._free(name)
        signer = SoftwareSigner.load_or_create(path, name)
        return Key(name, signer.verifier_key())

    def name_hsm_key(self, name: str, hsm: HsmPlace) -> Key:
        """Give a key that an HSM holds a name here. Raises BadInput, SignerUnavailable, CannotStore."""
        path = self._free(name)
        with hsm.signer(name, None, self._environment) as signer:
            public = signer.verifier_key()
        with disk.storing("where the key is", path):
            private_directory(path.parent)
            disk.write_whole(path.with_name(name + _HSM), json.dumps(asdict(hsm)).encode())
            disk.write_whole(path.with_name(name + ".pub"), f"{public}\n".encode())
        return Key(name, public, hsm)

    def all(self) -> Iterator[Key]:
        """Every key of a person, by name."""
        for path in sorted(self._place.glob("*.pub")):
            if path.stem != MACHINE:
                yield self.get(path.stem)

    def get(self, name: str) -> Key:
        """A key by its name. Raises BadInput."""
        path = self._place / f"{name}.pub"
        if not _NAME.fullmatch(name) or not path.is_file():
            known = [each.stem for each in self._place.glob("*.pub") if each.stem != MACHINE]
            raise BadInput(
                f"there is no key '{name}'{nearest(name, known)}; to make it: seatrial keys make {name}"
            )
        (public, *_) = read_verifier_keys(path)
        described = self._place / f"{name}{_HSM}"
        if not described.is_file():
            return Key(name, public)
        try:
            return Key(name, public, HsmPlace(**json.loads(described.read_bytes())))
        except (OSError, ValueError, TypeError) as error:
            raise BadInput(f"{described}: does not say where the key is: {error}") from error

    def signer(self, key: Key) -> Signer:
        """Who signs with it; one of an HSM is closed by its user. Raises BadInput."""
        if key.hsm:
            return key.hsm.signer(key.name, key.public, self._environment)
        return SoftwareSigner.load(self._place / key.name, key.name)

    def _free(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or len(name) > 80 or name == MACHINE:
            raise BadInput(
                f"'{name}' cannot name a key: a-z, 0-9 and - _ . between them, and not '{MACHINE}'"
            )
        if any((self._place / f"{name}{ending}").exists() for ending in ("", ".pub", _HSM)):
            raise BadInput(f"there is a key '{name}' already; nothing was changed")
        return self._place / name
