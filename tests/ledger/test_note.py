"""Signed notes: published examples are read, forged ones are not believed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger import SoftwareSigner, VerifierKey
from seatrial.ledger.note import (
    Algorithm,
    Checkpoint,
    NoteError,
    open_checkpoint,
    read_checkpoint,
    signed_note,
)

SIGNER = SoftwareSigner.generate("example.org/log")
CHECKPOINT = Checkpoint("example.org/log", 42, bytes(range(32)))
NOTE = signed_note(CHECKPOINT.text, SIGNER.verifier_key(), SIGNER.sign(CHECKPOINT.text))

# the key of Go's checksum database, as cmd/go ships it
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def test_a_key_known_to_the_world_is_read() -> None:
    key = VerifierKey.parse(SUMDB)
    assert key.algorithm is Algorithm.ED25519
    assert key.identity.hex() == "033de0ae"
    assert str(key) == SUMDB


def test_a_checkpoint_is_text_that_anybody_can_read() -> None:
    lines = NOTE.decode().split("\n")
    assert lines[:4] == ["example.org/log", "42", base64.b64encode(bytes(range(32))).decode(), ""]
    assert lines[4].startswith("— example.org/log ")
    assert lines[5:] == [""]
    assert open_checkpoint(NOTE, [SIGNER.verifier_key()]) == CHECKPOINT
    assert read_checkpoint(NOTE) == CHECKPOINT


def test_keys_and_notes_of_an_ecdsa_key() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = VerifierKey("example.org/log", Algorithm.ECDSA_SHA256, public)
    assert VerifierKey.parse(str(key)) == key
    signature = private.sign(CHECKPOINT.text, ec.ECDSA(hashes.SHA256()))
    assert open_checkpoint(signed_note(CHECKPOINT.text, key, signature), [key]) == CHECKPOINT
    with pytest.raises(NoteError, match=r"the signature of example\.org/log is wrong"):
        open_checkpoint(signed_note(CHECKPOINT.text, key, signature[:-1] + b"\x00"), [key])


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_bit_of_a_note_can_be_flipped(bit: int) -> None:
    altered = bytearray(NOTE)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        open_checkpoint(bytes(altered), [SIGNER.verifier_key()])


@given(st.binary(max_size=300))
def test_anything_else_is_no_note(data: bytes) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(data)


def test_signatures_of_strangers_are_ignored_and_do_not_suffice() -> None:
    witness = SoftwareSigner.generate("witness.example")
    line = signed_note(CHECKPOINT.text, witness.verifier_key(), witness.sign(CHECKPOINT.text))
    both = NOTE + line.partition(b"\n\n")[2]
    assert open_checkpoint(both, [SIGNER.verifier_key()]) == CHECKPOINT
    with pytest.raises(NoteError, match=r"no trusted key signed it \(signed by example.org/log\+"):
        open_checkpoint(NOTE, [SoftwareSigner.generate("example.org/log").verifier_key()])
    with pytest.raises(NoteError, match=r"its origin is example\.org/log, another log's"):
        open_checkpoint(both, [witness.verifier_key()])


@pytest.mark.parametrize(
    "text",
    [
        b"example.org/log\n042\n" + base64.b64encode(bytes(32)) + b"\n",
        b"example.org/log\n-1\n" + base64.b64encode(bytes(32)) + b"\n",
        b"example.org/log\n42\n" + base64.b64encode(bytes(31)) + b"\n",
        b"example.org/log\n42\n" + base64.b64encode(bytes(32)) + b"\nextension\n",
        b"\n42\n" + base64.b64encode(bytes(32)) + b"\n",
    ],
)
def test_a_checkpoint_has_one_spelling(text: bytes) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "not a verifier key"),
        ("a b+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "no key name"),
        ("sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "carries the hash 033de0af"),
        ("sum.golang.org+033de0ae+Ac4zctda", "cannot be read"),
        (
            "sum.golang.org+033de0ae+B84zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "7 is not a valid Algorithm",
        ),
        ("sum.golang.org+033de0ae+Ac4zctda0e5eza HJyk9SxEdh", "not base64"),
    ],
)
def test_a_bad_key_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NoteError, match=reason):
        VerifierKey.parse(text)
