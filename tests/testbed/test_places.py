from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from seatrial.home import seatrial_home
from seatrial.testbed.places import Places


def test_the_home_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path))
    assert seatrial_home() == tmp_path
    assert Places.of_home().root == tmp_path / "testbed"


def test_without_it_the_home_is_the_users_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEATRIAL_HOME", raising=False)
    assert seatrial_home().name == "seatrial"


def test_sockets_are_at_home_while_their_paths_are_short() -> None:
    places = Places.of_home(Path("/h"))
    assert places.control == Path("/h/testbed/sockets/control.sock")


def test_a_long_home_has_its_sockets_in_the_temporary_directory_and_always_in_the_same_one() -> None:
    long, other = (Places.of_home(Path("/" + letter * 120)) for letter in "ab")
    assert long.sockets.parent == Path(tempfile.gettempdir())
    assert len(str(long.control)) < 90
    assert long.sockets == Places.of_home(Path("/" + "a" * 120)).sockets
    assert long.sockets != other.sockets
