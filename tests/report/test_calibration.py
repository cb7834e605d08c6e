"""The calibration that a report carries, and what is not one."""

import pytest

from seatrial.report.calibration import calibration_view

FOUND = {
    "measured_at": "2026-11-24T05:00:00+00:00", "rate": "10000/min", "planted": 36, "covered": 36, "control_s": 20.0,
    "control_outages": 0, "doubt": "",
    "kinds": [{"kind": "stall", "planted": 6, "covered": 6, "shortest_s": 0.05, "longest_s": 1.25, "excess_p50_intervals": 1.25,
               "error_p05_ms": -3.0, "error_p50_ms": 0.4, "error_p95_ms": 2.0}],
}  # fmt: skip


def test_a_calibration_is_told_in_a_sentence_and_a_table() -> None:
    view = calibration_view(FOUND)
    assert view is not None
    assert "held the truth in 36 of 36. In 20 s without a fault, no outages were reported." in view.sentence
    (row,) = view.rows
    assert (row.kind, row.covered, row.lengths) == ("stall", "6 of 6", "50 ms … 1.25 s")
    assert row.error == "-3.0 / +0.4 / +2.0"


def test_a_doubtful_calibration_says_so() -> None:
    view = calibration_view({**FOUND, "doubt": "it was late"})
    assert view is not None
    assert "cannot be trusted: it was late" in view.sentence


@pytest.mark.parametrize(
    "found", [None, {}, {"kinds": 3}, {**FOUND, "covered": "many"}, {**FOUND, "kinds": [{}]}]
)
def test_what_is_no_calibration_is_left_out(found: object) -> None:
    assert calibration_view(found) is None  # type: ignore[arg-type]
