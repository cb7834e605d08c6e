"""The record that reports carry."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.calibrate import Calibration, KindScore
from seatrial.model.problems import BadInput
from seatrial.model.result import GeneratorAudit

CALIBRATION = Calibration(
    measured_at="2026-01-01T00:00:00+00:00",
    rate="10000/min",
    interval_s=0.006,
    deadline_s=1.0,
    settle_s=1.0,
    seed=1,
    planted=34,
    covered=33,
    kinds=(KindScore("refuse", 34, 33, 0.05, 4.9, 2.1, 3.4, 32, "none", -2.0, 0.1, 4.9),),
    control_s=5.0,
    control_outages=0,
    control_upper_s=0.007,
    unexplained=0,
    generator=GeneratorAudit(100, 100, 99, 0, 1, 0.1, 0.4, 2.0, 166.7, 166.7),
    doubt="",
)


def test_a_calibration_is_kept_and_found(tmp_path: Path) -> None:
    path = tmp_path / "home" / "calibration.json"
    CALIBRATION.save(path)
    CALIBRATION.save(path)
    assert Calibration.load(path) == CALIBRATION
    assert [kept.name for kept in path.parent.iterdir()] == ["calibration.json"]
    assert CALIBRATION.coverage == pytest.approx(33 / 34)


def test_without_a_calibration_there_is_none(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path / "calibration.json") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', '{"version": 1, "kinds": [{}]}']
)
def test_a_damaged_calibration_is_refused_with_the_way_out(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="run `seatrial calibrate` again"):
        Calibration.load(path)


def test_the_table_has_a_row_a_kind_and_a_sum() -> None:
    header, refuse, total = CALIBRATION.rows()
    assert len(header) == len(refuse) == len(total)
    assert refuse[:4] == ("refuse", "33 of 34", "50 ms to 4.90 s", "2.1 intervals, 32 within 3")
    assert total[:2] == ("all", "33 of 34")
