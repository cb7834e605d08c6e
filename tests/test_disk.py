"""What the machine does not take or give is told once: what, where, why, how much room, the way out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from seatrial import disk
from seatrial.model.problems import CannotStore, Unavailable


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free some room there"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permissions"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOMEM, "memory"),
        (errno.EIO, "the disk fails"),
    ],
)
def test_each_trouble_has_its_way_out(tmp_path: Path, number: int, way_out: str) -> None:
    with (
        pytest.raises(CannotStore, match=rf"^the verdict: {tmp_path}/x cannot .*; .*{way_out}") as caught,
        disk.storing("the verdict", tmp_path / "x"),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.number == number
    assert (" free)" in str(caught.value)) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert caught.value.exit_code == Unavailable.exit_code == 2
    assert number in disk.TROUBLES


def test_the_file_that_the_system_names_is_told(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "other"))
    assert str(tmp_path / "other") in str(disk.cannot_store("it", tmp_path / "x", error))


def test_memory_that_has_run_out_is_a_trouble_too(tmp_path: Path) -> None:
    with pytest.raises(CannotStore, match="Cannot allocate memory"), disk.storing("it", tmp_path):
        raise MemoryError


def test_what_is_reserved_does_not_make_the_file_longer(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        disk.reserve(file.fileno(), 1 << 20)
    found = (tmp_path / "file").stat()
    assert found.st_size == 0
    assert found.st_blocks * 512 >= 1 << 20


def test_more_than_there_is_cannot_be_reserved(tmp_path: Path) -> None:
    with (
        (tmp_path / "file").open("wb") as file,
        pytest.raises(OSError, match=r"No space left|File too large"),
    ):
        disk.reserve(file.fileno(), 1 << 60)


def test_half_a_file_is_never_seen_and_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "verdict.json"
    disk.write_whole(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        disk.write_whole(path, b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["verdict.json"]
    assert path.read_bytes() == b"old"


def test_room_is_told_where_a_file_would_be(tmp_path: Path) -> None:
    assert disk.nearest_existing(tmp_path / "not" / "there") == tmp_path
    assert disk.free_bytes(tmp_path / "not" / "there") == pytest.approx(disk.free_bytes(tmp_path), rel=0.5)
    assert [disk.amount(size) for size in (12, 1536, 3 << 20, 5 << 40)] == [
        "12 bytes",
        "1.5 KiB",
        "3.0 MiB",
        "5.0 TiB",
    ]
