"""The signing process keeps its deadline, dies and comes back, with a module of our own in place of an HSM's.

(With a real one: `test_pkcs11_softhsm`.)
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seatrial.ledger import Ledger, SignerUnavailable, verify
from seatrial.ledger.pkcs11 import Pkcs11Configuration, Pkcs11Signer
from seatrial.model.verdict import Verdict

# The part of python-pkcs11 that the worker uses. What it does is read from a file at every call.
PKCS11 = """
    import os, time
    from enum import Enum
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    class ObjectClass(Enum):
        PUBLIC_KEY = 1
        PRIVATE_KEY = 2

    class Mechanism(Enum):
        ECDSA = 1

    class Key:
        def __init__(self, path):
            self.key = load_pem_private_key(open(path, "rb").read(), None)

        def sign(self, digest, mechanism):
            mode = open(os.environ["FAKE_HSM_MODE"]).read()
            if mode == "hang":
                time.sleep(600)
            if mode == "fail":
                raise RuntimeError("device\\nremoved")
            if mode == "die":
                os._exit(9)
            return self.key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    class Session:
        def get_key(self, object_class, label):
            return Key(os.environ["FAKE_HSM_MODE"] + ".pem")

    class Token:
        def open(self, user_pin):
            if user_pin != "4711":
                raise ValueError("wrong PIN")
            return Session()

    class lib:
        def __init__(self, module):
            assert os.path.exists(module), "no such module"

        def get_token(self, token_label):
            return Token()
"""
EC = """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    def encode_ec_public_key(key):
        return key.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def encode_ecdsa_signature(signature):
        return signature
"""


class FakeHsm:
    def __init__(self, directory: Path) -> None:
        self._mode = directory / "mode"
        self._key = directory / "mode.pem"
        for name, source in {"__init__": PKCS11, "util/__init__": "", "util/ec": EC}.items():
            path = directory / "pkcs11" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source))
        key = ec.generate_private_key(ec.SECP256R1())
        self._key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.behave("sign")

    @property
    def mode_file(self) -> str:
        return str(self._mode)

    def behave(self, mode: str) -> None:
        self._mode.write_text(mode)


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHsm:
    (tmp_path / "hsm").mkdir()
    hsm = FakeHsm(tmp_path / "hsm")
    monkeypatch.setenv("FAKE_HSM_MODE", hsm.mode_file)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hsm"))
    return hsm


@pytest.fixture
def configuration(tmp_path: Path) -> Pkcs11Configuration:
    return Pkcs11Configuration(tmp_path, "token", "key", "4711", deadline_s=1.0)


@pytest.fixture
def signer(hsm: FakeHsm, configuration: Pkcs11Configuration) -> Iterator[Pkcs11Signer]:
    with Pkcs11Signer("seatrial.test/hsm", configuration) as signer:
        yield signer
    assert not [
        child for child in psutil.Process().children() if "pkcs11_worker" in " ".join(child.cmdline())
    ]


def test_a_ledger_is_signed(signer: Pkcs11Signer, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger", signer) as ledger:
        ledger.append({"n": 1})
    assert verify(tmp_path / "ledger", [signer.verifier_key()]).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("hang", "no answer within 1 s"),
        ("fail", "RuntimeError device removed"),
        ("die", "the signing process has ended"),
    ],
)
def test_trouble_is_told_in_time_and_passes(hsm: FakeHsm, signer: Pkcs11Signer, mode: str, told: str) -> None:
    assert signer.verifier_key().verifies(b"before", signer.sign(b"before"))
    hsm.behave(mode)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(SignerUnavailable, match=told):
            signer.sign(b"during")
    assert time.monotonic() - start < 20
    hsm.behave("sign")
    assert signer.verifier_key().verifies(b"after", signer.sign(b"after"))


def test_what_keeps_it_from_starting_is_told(hsm: FakeHsm, configuration: Pkcs11Configuration) -> None:
    wrong = Pkcs11Configuration(configuration.module, "token", "key", "0000")
    with pytest.raises(SignerUnavailable, match="ValueError wrong PIN"):
        Pkcs11Signer("seatrial.test/hsm", wrong).verifier_key()
    wrong = Pkcs11Configuration(Path("/nowhere/module.so"), "token", "key", "4711")
    with pytest.raises(SignerUnavailable, match=r"module\.so: AssertionError no such module"):
        Pkcs11Signer("seatrial.test/hsm", wrong).sign(b"text")


def test_the_pin_is_not_shown(configuration: Pkcs11Configuration) -> None:
    assert "4711" not in repr(configuration)


def test_a_known_key_needs_no_hsm_to_be_told(
    hsm: FakeHsm, signer: Pkcs11Signer, configuration: Pkcs11Configuration
) -> None:
    known = signer.verifier_key()
    hsm.behave("hang")
    assert Pkcs11Signer("seatrial.test/hsm", configuration, public=known).verifier_key() == known
