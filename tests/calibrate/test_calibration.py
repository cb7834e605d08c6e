"""A short calibration: real server, real load generator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatrial.calibrate.calibration import CalibrationSettings, calibrate
from seatrial.calibrate.plan import KINDS
from seatrial.model.quantities import Rate


@pytest.mark.e2e
@pytest.mark.timeout(120)
def test_a_short_calibration_covers_the_truth_and_sees_nothing_where_nothing_is(tmp_path: Path) -> None:
    done: list[tuple[float, float]] = []
    calibration = calibrate(
        Rate.parse("10000/min"),
        outages=12,
        seed=20260101,
        directory=tmp_path,
        progress=lambda at_s, of_s: done.append((at_s, of_s)),
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        settings=CalibrationSettings(deadline_s=0.5, settle_s=0.5, warmup_s=1.0, longest_s=0.5),
    )
    trials = (tmp_path / "trials.jsonl").read_text()
    assert calibration.covered == calibration.planted == 12, trials
    assert [kind.kind for kind in calibration.kinds] == list(KINDS)
    assert calibration.control_outages == 0
    assert calibration.unexplained == 0
    assert calibration.generator.dropped == 0
    assert calibration.control_upper_s > 0
    assert calibration.measured_at == "2026-01-01T00:00:00+00:00"
    assert done
    assert all(0 <= at_s <= of_s for at_s, of_s in done)
