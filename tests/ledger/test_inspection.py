"""A look at a ledger tells its size and its ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.ledger_tampering import ENTRIES, HEIGHT, NAME

from seatrial.ledger import Damaged, Ledger, SoftwareSigner, inspect, read_entries
from seatrial.ledger.note import read_checkpoint
from seatrial.model.problems import BadInput


def test_the_summary(pristine: Path) -> None:
    summary = inspect(pristine, segment_height=HEIGHT)
    entries = list(read_entries(pristine, segment_height=HEIGHT))
    assert (summary.origin, summary.entries, summary.signed) == (NAME, ENTRIES, ENTRIES)
    assert (summary.checkpoints, summary.segments) == (8, 5)
    assert summary.head == entries[-1].hash
    assert read_checkpoint(summary.last_checkpoint.encode()).size == ENTRIES
    assert summary.bytes == sum(path.stat().st_size for path in (pristine / "segments").iterdir())


@pytest.mark.parametrize("start", [0, 1, 63, 64, 200, 299, 300, 1000])
def test_entries_are_read_from_anywhere(pristine: Path, start: int) -> None:
    found = [entry.seq for entry in read_entries(pristine, start, segment_height=HEIGHT)]
    assert found == list(range(start, ENTRIES))


def test_an_unfinished_line_is_left_out(pristine: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(pristine, tmp_path / "copy")
    path = max((copy / "segments").iterdir())
    path.write_bytes(path.read_bytes()[:-1])
    assert inspect(copy, segment_height=HEIGHT).entries == ENTRIES - 1
    assert [entry.seq for entry in read_entries(copy, 297, segment_height=HEIGHT)] == [297, 298]


def test_a_new_ledger(tmp_path: Path, signer: SoftwareSigner) -> None:
    Ledger(tmp_path, signer).close()
    summary = inspect(tmp_path)
    assert (summary.origin, summary.entries, summary.head, summary.last_checkpoint) == ("", 0, "", "")


def test_what_is_illegible_is_told(pristine: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(pristine, tmp_path / "copy")
    path = max((copy / "segments").iterdir())
    path.write_bytes(b"rubbish\n")
    with pytest.raises(Damaged, match="the last line is not an entry; run verify"):
        inspect(copy, segment_height=HEIGHT)
    with pytest.raises(Damaged, match=r"256\.jsonl:1: .*; run verify"):
        list(read_entries(copy, 256, segment_height=HEIGHT))
    with pytest.raises(BadInput, match="no ledger here"):
        inspect(tmp_path)
