"""Damaged files: each is measured, or refused in a line that names it. (500 of each format: tests/bench.)"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.mutations import FORMATS, run_campaign

from seatrial.measure.importers import read


@pytest.mark.parametrize("format_", FORMATS)
def test_a_damaged_file_is_measured_or_refused_in_a_line(tmp_path: Path, format_: str) -> None:
    outcome = run_campaign(tmp_path / "log", format_, count=25)
    assert outcome.wrong == []
    assert outcome.refused > 0


@pytest.mark.parametrize("format_", FORMATS)
def test_an_undamaged_one_is_measured(tmp_path: Path, format_: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(FORMATS[format_])
    assert len(read(path).log) == 12
