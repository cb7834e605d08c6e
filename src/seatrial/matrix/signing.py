"""Sign-offs and attestations: what people said of a matrix, when, and with which key, in a ledger.

    $SEATRIAL_HOME/matrix     a ledger; an entry each, never changed afterwards

A sign-off is bound to the hash of a statement, which the entry holds whole. So it can be told at any time
whether the matrix is still what was signed, and if not, what has changed. A signature covers every word of
its entry but the statement, which its hash stands for. A sign-off without a key is somebody's claim: the
ledger shows that it was made then and not altered, not by whom.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatrial.ledger import Ledger, Signer, VerifierKey, canonical, read_entries, verify
from seatrial.ledger.note import NoteError
from seatrial.ledger.pkcs11 import Pkcs11Signer
from seatrial.matrix.statement import Statement, differences
from seatrial.model.problems import BadInput, Unavailable

LEDGER = "matrix"
"""The ledger's directory inside the state directory."""


@dataclass(frozen=True, slots=True)
class Word:
    """A sign-off, or an attestation to one row. `key` and `signature` are empty when nobody's key signed."""

    kind: str  # "sign-off" or "attestation"
    readiness: str
    role: str
    name: str
    at: str  # RFC 3339, UTC
    about: str  # of a sign-off: the hash of its statement; of an attestation: what is attested
    row: str = ""
    until: str = ""  # of an attestation
    key: str = ""
    signature: str = ""
    statement: Statement | None = None
    doubt: str = ""  # that it may not be what was recorded

    @property
    def text(self) -> bytes:
        """What is signed: one canonical line (RFC 8785)."""
        return canonical({name: getattr(self, name) for name in _SIGNED})

    @property
    def instant(self) -> datetime:
        """When it was said."""
        return datetime.fromisoformat(self.at).astimezone(UTC)

    def verifier_key(self) -> VerifierKey | None:
        """The key that signed; None without one. Raises NoteError for one that is none."""
        return VerifierKey.parse(self.key) if self.key else None

    def wrong(self) -> str:
        """What is wrong with it: its record, its signature, or its statement's hash. Empty: nothing."""
        if self.doubt:
            return self.doubt
        if self.kind == "sign-off" and (self.statement is None or self.statement.sha256 != self.about):
            return "what it signs is not the statement beside it"
        try:
            key = self.verifier_key()
            if key is None:
                return "a signature without a key" if self.signature else ""
            signature = base64.b64decode(self.signature, validate=True)
        except (NoteError, binascii.Error, ValueError) as error:
            return f"its key or signature cannot be read: {error}"
        return "" if key.verifies(self.text, signature) else f"the signature of {key.name} is wrong"


_SIGNED = ("kind", "readiness", "role", "name", "at", "about", "row", "until", "key")
_FIELDS = (*_SIGNED, "signature")


@dataclass(frozen=True, slots=True)
class SignOff:
    """The latest sign-off of a role, held against the matrix as it is. `voided`: what has changed since."""

    role: str
    word: Word | None  # None: nobody has signed for this role
    voided: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether the role has signed exactly this."""
        return self.word is not None and not self.voided


def signed_by(word: Word, signer: Signer) -> Word:
    """The word with a signature. Raises SignerUnavailable."""
    keyed = replace(word, key=str(signer.verifier_key()))
    with closing(signer) if isinstance(signer, Pkcs11Signer) else nullcontext():
        return replace(keyed, signature=base64.b64encode(signer.sign(keyed.text)).decode())


def record(word: Word, home: Path, machine: Signer) -> None:
    """Put it into the ledger. Raises Unavailable when it is in use, or not signed by this machine."""
    event: dict[str, Any] = {name: getattr(word, name) for name in _FIELDS}
    if word.statement is not None:
        event["statement"] = dict(word.statement.data)
    with Ledger(home / LEDGER, machine) as ledger:
        ledger.append(event)
        if not ledger.close():
            raise Unavailable(f"{home / LEDGER}: recorded, but not signed by this machine yet")


def recorded(directory: Path) -> Iterator[Word]:
    """Every word in the ledger at `directory`, the earliest first; none when there is no ledger yet.

    Nothing is verified. Raises Damaged, and BadInput for an entry that is no word.
    """
    if not directory.exists():
        return
    for entry in read_entries(directory):
        yield word_of(dict(entry.event), f"{directory}: entry {entry.seq}")


def vouched_for(directory: Path, keys: Sequence[VerifierKey]) -> tuple[Word, ...]:
    """The same, held against the ledger's signatures: `doubt` says of a word that no key vouches for it.

    A word without anybody's key has nothing else that shows it was not altered. Raises as `recorded`.
    """
    words = tuple(recorded(directory))
    if not words:
        return ()
    report = verify(directory, keys)
    if report.first_bad is not None:
        doubt = f"the ledger of sign-offs was altered: {report.first_bad}"
        return tuple(replace(word, doubt=doubt) for word in words)
    signed = report.signed if report.trusted else 0
    doubt = "the ledger of sign-offs does not vouch for it: it is not signed by this machine"
    return (*words[:signed], *(replace(word, doubt=doubt) for word in words[signed:]))


def as_line(word: Word) -> str:
    """A word as one line that can be carried to where the ledger is, without its statement."""
    return canonical({name: getattr(word, name) for name in _FIELDS}).decode()


def of_line(text: str) -> Word:
    """The word that `as_line` wrote. Raises BadInput."""
    try:
        event = json.loads(text)
    except ValueError as error:
        raise BadInput(f"what was signed is not a line of `seatrial keys sign`: {error}") from error
    return word_of(event if isinstance(event, dict) else {}, "what was signed")


def word_of(event: dict[str, Any], where: str) -> Word:
    """The word that an entry holds. Raises BadInput."""
    statement = event.pop("statement", None)
    if event.keys() != set(_FIELDS) or not all(isinstance(value, str) for value in event.values()):
        raise BadInput(f"{where}: not a sign-off or an attestation")
    if statement is not None and not isinstance(statement, dict):
        raise BadInput(f"{where}: its statement is no mapping")
    return Word(**event, statement=Statement(statement) if statement is not None else None)


def sign_offs(
    roles: Sequence[str], keys: dict[str, str], words: Sequence[Word], current: Statement, readiness: str
) -> tuple[SignOff, ...]:
    """Of each role that must sign: its latest sign-off, and what has changed since."""
    latest = {word.role: word for word in words if word.kind == "sign-off" and word.readiness == readiness}
    return tuple(_held(role, latest.get(role), keys.get(role, ""), current) for role in roles)


def _held(role: str, word: Word | None, pinned: str, current: Statement) -> SignOff:
    if word is None:
        return SignOff(role, None)
    if wrong := word.wrong():
        return SignOff(role, word, (wrong,))
    if pinned and word.key != pinned:
        return SignOff(
            role, word, ("it was signed with another key than the readiness file names, or with none",)
        )
    assert word.statement is not None
    return SignOff(role, word, tuple(differences(word.statement, current)))
