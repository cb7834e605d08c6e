"""The keys that people sign with: files, and what an HSM holds."""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import ledger_hsm
from tests.support.ledger_hsm import KEY, PIN, TOKEN, Hsm

from seatrial.ledger.keys import MACHINE, HsmPlace, Keys
from seatrial.ledger.pkcs11 import Pkcs11Signer
from seatrial.model.problems import BadInput


def test_a_key_signs_under_its_name_and_is_its_owners_alone(home: Path) -> None:
    keys = Keys(home)
    made = keys.make("amira")
    signer = keys.signer(keys.get("amira"))
    assert made.public.name == "amira"
    assert made.public.verifies(b"text", signer.sign(b"text"))
    assert stat.S_IMODE((home / "keys" / "amira").stat().st_mode) == 0o600
    assert list(keys.all()) == [made]


@pytest.mark.parametrize("name", [MACHINE, "", "../amira", "Amira", "a b", "a" * 81])
def test_a_name_that_cannot_be_one_makes_nothing(home: Path, name: str) -> None:
    with pytest.raises(BadInput, match="cannot name a key"):
        Keys(home).make(name)
    assert not (home / "keys").exists()


def test_a_key_is_never_written_over(home: Path) -> None:
    keys = Keys(home)
    keys.make("amira")
    before = (home / "keys" / "amira").read_bytes()
    with pytest.raises(BadInput, match="already"):
        keys.make("amira")
    assert (home / "keys" / "amira").read_bytes() == before


def test_one_that_is_not_there_is_named_with_the_nearest(home: Path) -> None:
    Keys(home).make("amira")
    with pytest.raises(BadInput, match=r"no key 'amria'.*did you mean 'amira'.*seatrial keys make amria"):
        Keys(home).get("amria")


def test_where_a_key_is_must_be_legible(home: Path) -> None:
    keys = Keys(home)
    keys.make("amira")
    (home / "keys" / "amira.pkcs11").write_text("{}")
    with pytest.raises(BadInput, match=r"amira\.pkcs11: does not say where the key is"):
        keys.get("amira")


@pytest.fixture
def hsm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    with tempfile.TemporaryDirectory(prefix="hsm") as directory:  # a socket's path must be short
        hsm = Hsm(Path(directory))
        monkeypatch.setenv("P11_KIT_SERVER_ADDRESS", hsm.address)
        hsm.start()
        yield hsm
        hsm.stop()


@pytest.mark.e2e
@pytest.mark.skipif(bool(ledger_hsm.missing()), reason=f"no SoftHSM here: {ledger_hsm.missing()} missing")
def test_a_key_that_an_hsm_holds_signs_with_the_pin_from_the_environment(home: Path, hsm: Hsm) -> None:
    place = HsmPlace(str(hsm.configuration.module), TOKEN, KEY, "AMIRAS_PIN")
    with pytest.raises(BadInput, match="AMIRAS_PIN, which is not set"):
        Keys(home, {}).name_hsm_key("amira", place)
    keys = Keys(home, {"AMIRAS_PIN": PIN})
    made = keys.name_hsm_key("amira", place)
    assert keys.get("amira") == made
    assert PIN not in "".join(path.read_text() for path in (home / "keys").iterdir())
    signer = keys.signer(made)
    assert isinstance(signer, Pkcs11Signer)
    with signer:
        assert made.public.verifies(b"text", signer.sign(b"text"))
