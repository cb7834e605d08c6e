"""Signed notes and checkpoints, in the text forms that transparency logs share.

A note is text, an empty line, and signature lines (c2sp.org/signed-note). A checkpoint is a note whose text
is the log's origin, its size, and its RFC 6962 root in base64 (c2sp.org/tlog-checkpoint):

    example.org/audit
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.org/audit Az3grlgtzPICa5OS8npVmf1Myq/5IZni…

Because the form is common property, checkpoints can be read by eye, mailed, kept by a witness that knows
nothing of this program, and checked by other people's tools. A verifier key is one line, too:
`name+hash+base64(type ‖ public key)`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key

_DASH = "— "
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_SIGNATURES = 16
_ID_BYTES = 4


class NoteError(ValueError):
    """Not a well-formed note, key or checkpoint, or not signed by a trusted key."""


class Algorithm(IntEnum):
    """Signature types, by the identifying byte that c2sp.org/signed-note assigns."""

    ED25519 = 0x01
    ECDSA_SHA256 = 0x02  # NIST P-256, signature in DER


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under.

    `public` is the 32 bytes of RFC 8032 for Ed25519, a DER SubjectPublicKeyInfo for ECDSA.
    """

    name: str
    algorithm: Algorithm
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise NoteError(
                f"'{self.name}' is no key name: spaces, '+' and control characters are not allowed"
            )
        try:
            self._check_public()
        except ValueError as error:
            raise NoteError(f"the public key of {self.name} cannot be read: {error}") from error

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `name+hash+base64`. Raises NoteError."""
        name, _, rest = text.strip().partition("+")
        identity, _, encoded = rest.partition("+")
        data = _decode(encoded, "the key")
        try:
            key = cls(name, Algorithm(data[0]), data[1:])
        except (IndexError, ValueError) as error:
            raise NoteError(f"'{text.strip()[:60]}' is not a verifier key: {error}") from error
        if key.identity.hex() != identity:
            raise NoteError(
                f"the verifier key of {name} carries the hash {identity}, not {key.identity.hex()}"
            )
        return key

    @property
    def identity(self) -> bytes:
        """The 4-byte key ID: which key signed, not that it did."""
        if self.algorithm is Algorithm.ECDSA_SHA256:
            return sha256(self.public).digest()[:_ID_BYTES]
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:_ID_BYTES]

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `text`."""
        try:
            if self.algorithm is Algorithm.ED25519:
                ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
            else:
                self._ecdsa().verify(signature, text, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.identity.hex()}+{encoded}"

    def _check_public(self) -> None:
        if self.algorithm is Algorithm.ED25519:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public)
        else:
            self._ecdsa()

    def _ecdsa(self) -> ec.EllipticCurvePublicKey:
        key = load_der_public_key(self.public)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise NoteError("an ECDSA key must be on the curve P-256")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself at one size."""

    origin: str
    size: int
    root: bytes  # 32 bytes

    @property
    def text(self) -> bytes:
        """The note text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    @classmethod
    def parse(cls, text: bytes) -> Checkpoint:
        """Read a note text. Raises NoteError. Extension lines are refused: nothing here writes any."""
        lines = _utf8(text).split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise NoteError("a checkpoint is three lines: origin, size, root")
        origin, size, root = lines[:3]
        if not _SIZE.fullmatch(size):
            raise NoteError(f"'{size[:40]}' is not the size of a log")
        digest = _decode(root, "the root")
        if len(digest) != sha256().digest_size:
            raise NoteError("the root is not 32 bytes long")
        return cls(origin, int(size), digest)


def signed_note(text: bytes, key: VerifierKey, signature: bytes) -> bytes:
    """The note: text, empty line, one signature line."""
    encoded = base64.b64encode(key.identity + signature).decode()
    return text + f"\n{_DASH}{key.name} {encoded}\n".encode()


def open_checkpoint(note: bytes, trusted: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that a trusted key signed. Raises NoteError.

    Signatures of unknown keys are ignored (witnesses add theirs); a wrong one of a known key condemns it.
    """
    text, signatures = _split(note)
    known = {(key.name, key.identity): key for key in trusted}
    signed = False
    for name, identity, signature in signatures:
        key = known.get((name, identity))
        if key is None:
            continue
        if not key.verifies(text, signature):
            raise NoteError(f"the signature of {name} is wrong")
        signed = True
    if not signed:
        names = ", ".join(f"{name}+{identity.hex()}" for name, identity, _ in signatures)
        raise NoteError(f"no trusted key signed it (signed by {names})")
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin not in {key.name for key in known.values()}:
        raise NoteError(f"its origin is {checkpoint.origin[:60]}, another log's")
    return checkpoint


def read_checkpoint(note: bytes) -> Checkpoint:
    """The checkpoint in a note, **unverified**: only for telling what a log claims."""
    return Checkpoint.parse(_split(note)[0])


def _split(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """Text, and (name, key ID, signature) of each signature line."""
    head, separator, tail = note.rpartition(b"\n\n")
    lines = _utf8(tail).split("\n")
    if not separator or lines.pop() or not 1 <= len(lines) <= _MOST_SIGNATURES:
        raise NoteError("not a signed note")
    signatures = []
    for line in lines:
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        data = _decode(encoded, "a signature")
        if not line.startswith(_DASH) or not _NAME.fullmatch(name) or len(data) <= _ID_BYTES:
            raise NoteError("a signature line is malformed")
        signatures.append((name, data[:_ID_BYTES], data[_ID_BYTES:]))
    return head + b"\n", signatures


def _decode(encoded: str, what: str) -> bytes:
    """Strict base64: every text has one spelling, so no byte of a note can change unseen."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{what} is not base64") from error
    if base64.b64encode(data).decode() != encoded:
        raise NoteError(f"{what} is not base64 in its one form")
    return data


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("not UTF-8") from error
