"""The calibration that a report carries, and what is not one."""

import pytest

from seatrial.report.calibration import calibration_view

STALL = {
    "kind": "stall", "planted": 6, "covered": 6, "shortest_s": 0.05, "longest_s": 1.25, "excess_p50_intervals": 1.25,
    "error_p05_ms": None, "error_p50_ms": 0.4, "error_p95_ms": None, "error_least_ms": -3.0, "error_most_ms": 2.0,
}  # fmt: skip
FOUND = {
    "measured_at": "2026-11-24T05:00:00+00:00", "rate": "10000/min", "planted": 36, "covered": 36, "control_s": 20.0,
    "control_outages": 0, "doubt": "",
    "kinds": [STALL],
    "machine": {"processors": "2"}, "versions": {"seatrial": "1.0"},
}  # fmt: skip
HERE = {"processors": "2"}, {"seatrial": "1.0", "httpx": "0.28"}


def test_a_calibration_is_told_in_a_sentence_and_a_table() -> None:
    view = calibration_view(FOUND, *HERE)
    assert view is not None
    assert "held the truth in 36 of 36. In 20 s without a fault, no outages were reported." in view.sentence
    (row,) = view.rows
    assert (row.kind, row.covered, row.lengths) == ("stall", "6 of 6", "50 ms … 1.25 s")
    assert row.error == "-3.0 / +0.4 / +2.0"
    assert "other conditions" not in view.sentence


def test_a_calibration_of_another_machine_or_version_says_so() -> None:
    view = calibration_view(FOUND, {"processors": "8"}, {"seatrial": "1.1"})
    assert view is not None
    assert view.sentence.endswith(
        "under other conditions than this run: processors 2, now 8; seatrial 1.0, now 1.1. Calibrate again."
    )


def test_an_older_calibration_shows_no_figure_that_it_does_not_have() -> None:
    kind = {name: value for name, value in STALL.items() if name not in ("error_least_ms", "error_most_ms")}
    view = calibration_view({**FOUND, "kinds": [kind], "machine": {}}, *HERE)
    assert view is not None
    assert view.rows[0].error == "– / +0.4 / –"
    assert "does not say on which machine" in view.sentence


def test_a_doubtful_calibration_says_so() -> None:
    view = calibration_view({**FOUND, "doubt": "it was late"}, *HERE)
    assert view is not None
    assert "cannot be trusted: it was late" in view.sentence


@pytest.mark.parametrize(
    "found", [None, {}, {"kinds": 3}, {**FOUND, "covered": "many"}, {**FOUND, "kinds": [{}]}]
)
def test_what_is_no_calibration_is_left_out(found: object) -> None:
    assert calibration_view(found, *HERE) is None  # type: ignore[arg-type]
