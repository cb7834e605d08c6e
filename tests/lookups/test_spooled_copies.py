"""Copies are read as they were told, as often as wanted, and lie in a file when they are many."""

from __future__ import annotations

from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.drivers.stored import Copy
from seatrial.lookups import spooled_copies
from seatrial.lookups.spooled_copies import SpooledCopies

COPIES = st.lists(st.tuples(st.text(max_size=4), st.none() | st.text(max_size=4)), max_size=9)


@given(COPIES)
@settings(max_examples=30)  # each has a file
def test_they_are_read_as_they_were_told(copies: list[Copy]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooled_copies, "_PART", 2)
        patch.setattr(spooled_copies, "_IN_MEMORY", 16)
        kept = SpooledCopies(iter(copies), Path(gettempdir()))
        assert list(kept) == copies
        assert [pair for one, other in zip(kept, kept, strict=True) for pair in (one, other)] == [
            pair for copy in copies for pair in (copy, copy)
        ]  # two read at once
        assert all(len(ids) <= 2 for ids, _ in kept.parts())


def test_the_file_has_no_name(tmp_path: Path) -> None:
    kept = SpooledCopies(((f"id-{number}", "x" * 1000) for number in range(6_000)), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert sum(1 for _ in kept) == 6_000


def test_a_directory_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        SpooledCopies(((f"id-{number}", "x" * 1000) for number in range(6_000)), tmp_path / "nowhere")
