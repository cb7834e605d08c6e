"""Make the HSM's token where there is none yet, then become the server in front of it.

python -m seatrial.testbed.token token.json      (in the part's directory; see `parts/hsm.py`)

`softhsm2-util` takes PINs on its command line, where everybody on the machine sees them. So the token is made
with one that is no secret, and gets its own before anybody can connect.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

TOKENS = "tokens"  # SoftHSM's directory
_MADE = "made"  # a file that is there once the token is complete
_FIRST_PIN = "0000"


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """What `token.json` holds."""

    utility: str  # softhsm2-util
    library: str  # libsofthsm2.so
    server: str  # p11-kit
    socket: str
    token: str  # label
    key: str  # label of both halves of the key pair
    pin: str = field(repr=False)

    def to_json(self) -> str:
        """The text of `token.json`."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def read(cls, path: Path) -> TokenSettings:
        """From `token.json`."""
        return cls(**json.loads(path.read_text()))


def make(settings: TokenSettings) -> None:
    """A token in the working directory, with an ECDSA key pair on P-256. A half-made one is thrown away."""
    shutil.rmtree(TOKENS, ignore_errors=True)
    Path(TOKENS).mkdir(mode=0o700)
    first = ("--so-pin", _FIRST_PIN, "--pin", _FIRST_PIN)
    subprocess.run(
        [settings.utility, "--init-token", "--free", "--label", settings.token, *first],
        check=True,
        start_new_session=True,
    )
    pkcs11: Any = import_module("pkcs11")
    curves: Any = import_module("pkcs11.util.ec")
    token = pkcs11.lib(settings.library).get_token(token_label=settings.token)
    with token.open(rw=True, so_pin=_FIRST_PIN) as session:
        session.set_pin(_FIRST_PIN, settings.pin)
    with token.open(rw=True, user_pin=_FIRST_PIN) as session:
        session.set_pin(_FIRST_PIN, settings.pin)
        curve = {pkcs11.Attribute.EC_PARAMS: curves.encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        parameters.generate_keypair(id=settings.key.encode(), label=settings.key, store=True)
    Path(_MADE).touch()


def main() -> None:
    """The server keeps our pid, so whoever has that has the HSM."""
    settings = TokenSettings.read(Path(sys.argv[1]))
    if not Path(_MADE).exists():
        make(settings)
    Path(settings.socket).unlink(missing_ok=True)  # one that was killed leaves it behind
    served = ("--provider", settings.library, f"pkcs11:token={settings.token}")
    command = ["p11-kit", "server", "--foreground", "--name", settings.socket, *served]
    os.execv(settings.server, command)  # noqa: S606  # that is the point


if __name__ == "__main__":
    main()
