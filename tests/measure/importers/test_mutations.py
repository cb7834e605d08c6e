"""Damaged files: each is measured, or refused in a line that names it; nothing else comes out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.mutations import FORMATS, mutated

from seatrial.measure import measure
from seatrial.measure.importers import read
from seatrial.model.problems import BadInput
from seatrial.report.verdictfile import measured_document

_SEEDS = 25  # a format; a campaign of 1,000 takes two minutes


@pytest.mark.parametrize("format_", FORMATS)
def test_a_damaged_file_is_measured_or_refused_in_a_line(tmp_path: Path, format_: str) -> None:
    path = tmp_path / "log"
    for seed in range(_SEEDS):
        path.write_bytes(mutated(format_, seed))
        try:
            imported = read(path)
        except BadInput as error:
            assert all(
                problem.location and problem.location.file == str(path) for problem in error.problems
            ), seed
            assert len(str(error).splitlines()) == len(error.problems), seed
        else:
            measured = measure(imported.log, 2.0, 1.0, tells=imported.tells)
            json.dumps(measured_document(measured), allow_nan=False)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_undamaged_one_is_measured(tmp_path: Path, format_: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(FORMATS[format_])
    assert len(read(path).log) == 12
