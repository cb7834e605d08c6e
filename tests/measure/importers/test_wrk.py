"""Summaries of tools that log no request."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput


@pytest.mark.parametrize(
    "text", ["Running 10s test @ http://127.0.0.1/\n", "This is ApacheBench, Version 2.3\n"]
)
def test_a_summary_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "out.txt"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"out\.txt:1: is a summary, .* measure the log of the server"):
        read(path)
