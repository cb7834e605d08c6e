"""Seal a run's evidence with this machine's key, so that nobody can alter it unseen afterwards.

The key is a software key in the state directory: a declared lesser mode, for it proves only that whoever
altered the evidence did not have it. An HSM's key can be used for ledgers that need more.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from seatrial import disk
from seatrial.home import make_private
from seatrial.ledger import Signer, SoftwareSigner, VerifierKey, read_verifier_keys, seal
from seatrial.ledger.seal import SEAL
from seatrial.run.evidence import Evidence

_NAME = "ledger"


def signer(home: Path) -> Signer:
    """This machine's signing key, made on first use. `home`: the state directory."""
    return SoftwareSigner.load_or_create(home / "keys" / _NAME, f"seatrial.{socket.gethostname() or 'local'}")


def public_key(home: Path) -> Path:
    """Where the public half of that key is."""
    return (home / "keys" / _NAME).with_suffix(".pub")


def own_keys(home: Path) -> tuple[VerifierKey, ...]:
    """The public keys that this machine seals with; none before it has sealed anything. Raises BadInput."""
    place = public_key(home)
    return read_verifier_keys(place) if place.exists() else ()


def seal_evidence(evidence: Evidence, home: Path) -> None:
    """Seal every file of the run. From now on `seatrial verify` tells what was altered.

    Raises SeatrialError when that cannot be done; half a first seal is taken away again, for it vouches for
    nothing and would only be in the way.
    """
    place = evidence.path(SEAL)
    sealed_before = place.exists()
    try:
        with disk.storing("the seal", place):
            seal(evidence.directory, signer(home))
    except BaseException:
        if not sealed_before:
            shutil.rmtree(place, ignore_errors=True)
        raise
    make_private(evidence.directory)  # also what others have put there


def is_sealed(evidence: Evidence) -> bool:
    """Whether a first seal is complete, signed or not.

    Half a one, of somebody who was killed at it, is taken away. Raises CannotStore.
    """
    place = evidence.path(SEAL)
    with disk.storing("the seal", place):
        # The last event of a seal makes those before it count (see `ledger.seal`).
        written = (path.read_bytes() for path in place.glob("segments/*.jsonl"))
        if any(b'{"kind":"sealed"}' in text for text in written):
            return True
        if place.exists():
            shutil.rmtree(place)
    return False
