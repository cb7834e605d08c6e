"""oha's CSV, and its summary, which is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput


def test_a_row_is_a_request(tmp_path: Path) -> None:
    path = tmp_path / "oha.csv"
    path.write_text(
        "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status\n"
        "0.5,0,0,0.002,0.002,11,200\n0.7,0,0,0.002,0.004,11,503\n"
    )
    found = read(path)
    log = found.log
    assert any("--latency-correction" in warning for warning in found.warnings)
    assert log.sent.tolist() == pytest.approx([0.0, 0.2])
    assert log.ended.tolist() == pytest.approx([0.002, 0.204])
    assert log.ok.tolist() == [True, False]


def test_its_summary_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "oha.json"
    path.write_text('{"summary":{"successRate":1.0},"latencyPercentiles":{"p50":0.1}}')
    with pytest.raises(BadInput, match=r"is oha's summary .*--output-format csv"):
        read(path)
