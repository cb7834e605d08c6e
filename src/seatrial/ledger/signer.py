"""Who signs checkpoints: a protocol, and the software key, which is the lesser mode.

A software key lies on the same machine as the log that it signs. Whoever may read the key can rewrite the log
and sign it again; only copies of checkpoints kept elsewhere then tell. A key in an HSM (`pkcs11`) can be used
by such a person while they have the machine, but not taken away, and not used afterwards.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from seatrial import disk
from seatrial.home import private_directory
from seatrial.ledger.layout import sync_directory
from seatrial.ledger.note import Algorithm, NoteError, VerifierKey
from seatrial.model.problems import BadInput, Unavailable


class SignerUnavailable(Unavailable):
    """The signer did not sign in time. What is in the log stays durable, and is signed when it is back."""


class Signer(Protocol):
    """Signs note texts. Calls come from one thread at a time and return, or raise, within a bounded time."""

    @property
    def name(self) -> str:
        """The key's name, which is the log's origin."""

    def verifier_key(self) -> VerifierKey:
        """The public key. Raises SignerUnavailable."""

    def sign(self, text: bytes) -> bytes:
        """A signature as `VerifierKey.verifies` expects it. Raises SignerUnavailable."""


class SoftwareSigner:
    """An Ed25519 key in this process's memory."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._verifier_key = VerifierKey(name, Algorithm.ED25519, public)

    @classmethod
    def generate(cls, name: str) -> SoftwareSigner:
        """A new key, kept nowhere."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, name: str) -> SoftwareSigner:
        """The key in a PEM file (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise BadInput(f"{path}: the signing key cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            raise BadInput(f"{path}: not a private key in PEM without a password") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput(f"{path}: not an Ed25519 key; make one with: openssl genpkey -algorithm ed25519")
        return cls(name, key)

    @classmethod
    def load_or_create(cls, path: Path, name: str) -> SoftwareSigner:
        """The key in `path`; made there on first use, readable by the owner only, its public half beside it.

        The public half is `path` with the suffix `.pub`: one verifier key, for `read_verifier_keys`. Raises
        CannotStore when there is no room for it, BadInput when the file holds no key.
        """
        with disk.storing("the signing key", path):
            private_directory(path.parent)
            if not path.exists():
                cls.generate(name)._place(path)
            signer = cls.load(path, name)
            public = path.with_suffix(".pub")
            if not public.exists():
                disk.write_whole(public, f"{signer.verifier_key()}\n".encode())
        return signer

    def _place(self, path: Path) -> None:
        """Put the key at `path`, whole or not at all, unless another process was quicker. Raises OSError.

        An empty file where the key should be would make every later seal fail.
        """
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(unfinished, path)
        finally:
            os.unlink(unfinished)  # noqa: PTH108  # mkstemp gives a text
        sync_directory(path.parent)

    @property
    def name(self) -> str:
        """The key's name."""
        return self._verifier_key.name

    def verifier_key(self) -> VerifierKey:
        """The public key."""
        return self._verifier_key

    def sign(self, text: bytes) -> bytes:
        """64 bytes, RFC 8032."""
        return self._key.sign(text)


def read_verifier_keys(path: Path) -> tuple[VerifierKey, ...]:
    """The verifier keys in a file, one a line. Raises BadInput."""
    try:
        lines = path.read_text().splitlines()
        keys = tuple(VerifierKey.parse(line) for line in lines if line.strip())
    except OSError as error:
        raise BadInput(f"{path}: the verifier key cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, NoteError) as error:
        raise BadInput(f"{path}: {error}") from error
    if not keys:
        raise BadInput(f"{path}: holds no verifier key (a line of the form name+hash+base64)")
    return keys
