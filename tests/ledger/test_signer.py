"""Keys are made once, kept from others, and read again."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seatrial.ledger import SoftwareSigner, read_verifier_keys
from seatrial.model.problems import BadInput, CannotStore


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.pem"
    first = SoftwareSigner.load_or_create(path, "example.org/log")
    again = SoftwareSigner.load_or_create(path, "example.org/log")
    assert first.verifier_key() == again.verifier_key()
    assert first.verifier_key().verifies(b"text", again.sign(b"text"))
    assert not first.verifier_key().verifies(b"other", again.sign(b"text"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_verifier_keys(path.with_suffix(".pub")) == (first.verifier_key(),)


def test_a_disk_that_takes_no_key_leaves_no_file_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty file there would be taken for a key that cannot be read, by every later seal."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "keys" / "ledger"
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(
            CannotStore, match=r"keys.*No space left on device .* free\); free some room there"
        ):
            SoftwareSigner.load_or_create(path, "x")
    assert list(path.parent.iterdir()) == []
    assert SoftwareSigner.load_or_create(path, "x").name == "x"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
def test_a_key_that_openssl_made_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    assert SoftwareSigner.load(path, "example.org/log").name == "example.org/log"


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(BadInput, match="cannot be read: No such file or directory"):
        SoftwareSigner.load(path, "x")
    path.write_text("rubbish")
    with pytest.raises(BadInput, match="not a private key in PEM"):
        SoftwareSigner.load(path, "x")
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(BadInput, match="not an Ed25519 key; make one with: openssl genpkey"):
        SoftwareSigner.load(path, "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no verifier key"), ("a+b+c\n", "the key is not base64"), (None, "No such file")],
)
def test_what_is_no_verifier_key_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "ledger.pub"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_verifier_keys(path)
