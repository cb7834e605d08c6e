"""What we keep is its owner's alone, whatever the umask, and what is not ours is left alone."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.home import (
    make_private,
    make_private_what_is_ours,
    private,
    private_directory,
    seatrial_home,
    touch_private,
)


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_are_made_private_with_all_above_them(tmp_path: Path) -> None:
    assert private_directory(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_a_directory_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(0o750)
    private_directory(shared / "ours")
    private_directory(shared)
    assert (mode(shared), mode(shared / "ours")) == (0o750, 0o700)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        private_directory(tmp_path / "file" / "below")


def test_files_are_made_private(tmp_path: Path) -> None:
    with open(tmp_path / "text", "w", opener=private) as file:
        file.write("x")
    touch_private(tmp_path / "database")
    touch_private(tmp_path / "database")
    assert (mode(tmp_path / "text"), mode(tmp_path / "database")) == (0o600, 0o600)


def test_what_is_there_is_made_private(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(0o644)
    tree = tmp_path / "tree"
    (tree / "below").mkdir(0o777, parents=True)
    (tree / "below" / "file").touch(0o666)
    (tree / "below" / "program").touch(0o755)
    (tree / "link").symlink_to(outside)
    make_private(tree)
    make_private(tmp_path / "nowhere")
    found = {
        str(path.relative_to(tree)): mode(path) for path in (tree, *tree.rglob("*")) if not path.is_symlink()
    }
    assert found == {".": 0o700, "below": 0o700, "below/file": 0o600, "below/program": 0o700}
    assert mode(outside) == 0o644


def test_in_a_home_that_somebody_named_only_ours_is_made_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("seatrial.sqlite", "seatrial.sqlite-wal", "guardian.log", "other.txt"):
        (tmp_path / name).touch(0o644)
    (tmp_path / "keys").mkdir(0o755)
    make_private_what_is_ours(tmp_path)
    assert {path.name: oct(mode(path)) for path in (tmp_path, *tmp_path.iterdir()) if mode(path) & 0o077} == {
        tmp_path.name: "0o755",
        "other.txt": "0o644",
    }


def test_the_default_home_is_ours_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    home = seatrial_home({})
    home.mkdir(0o755, parents=True)
    make_private_what_is_ours(home)
    assert mode(home) == 0o700


def test_rights_that_cannot_be_taken_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch(0o644)

    def refused(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    with caplog.at_level(logging.WARNING):
        make_private(tmp_path / "file")
    assert "file can be read by others, and that cannot be changed: Operation not permitted" in caplog.text
