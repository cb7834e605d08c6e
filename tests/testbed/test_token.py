"""The token is made once, whole, and with a PIN that no command line has shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.hsm import needs_hsm

from seatrial.testbed.programs import find_hsm
from seatrial.testbed.token import TOKENS, TokenSettings

# SoftHSM keeps its state for the life of a process and reads its configuration once: each making has its own.
_MAKE = """
from pathlib import Path
from seatrial.testbed import token
token.make(token.TokenSettings.read(Path("token.json")))
"""
_LOG_IN = """
import sys, pkcs11
token = pkcs11.lib(sys.argv[1]).get_token(token_label="seatrial")
with token.open(user_pin=sys.argv[2]) as session:
    key = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label="audit")
    print(bytes(key[pkcs11.Attribute.EC_POINT]).hex(), len(list(session.get_objects())))
"""

pytestmark = needs_hsm


def settings() -> TokenSettings:
    found = find_hsm()
    assert found is not None
    return TokenSettings(
        str(found.utility), str(found.library), str(found.server), "socket", "seatrial", "audit", "a-pin"
    )


def run(directory: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment: dict[str, Any] = {**os.environ, "SOFTHSM2_CONF": str(directory / "softhsm2.conf")}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / TOKENS}\n")
    (tmp_path / "token.json").write_text(settings().to_json())
    return tmp_path


def test_it_has_one_key_pair_and_only_its_own_pin(directory: Path) -> None:
    made = run(directory, _MAKE)
    assert made.returncode == 0, made.stderr
    assert (directory / TOKENS).stat().st_mode & 0o777 == 0o700
    found = run(directory, _LOG_IN, settings().library, "a-pin")
    assert found.stdout.split()[1:] == ["2"], found.stderr
    assert "PinIncorrect" in run(directory, _LOG_IN, settings().library, "0000").stderr


def test_a_half_made_one_is_made_anew(directory: Path) -> None:
    half = directory / TOKENS / "half"
    half.mkdir(parents=True)
    assert run(directory, _MAKE).returncode == 0
    assert not half.exists()
    assert run(directory, _LOG_IN, settings().library, "a-pin").returncode == 0


def test_the_settings_are_read_as_they_were_written(directory: Path) -> None:
    assert TokenSettings.read(directory / "token.json") == settings()
    assert "a-pin" not in repr(settings())
