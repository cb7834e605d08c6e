"""The server's own account."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.calibrate.truth import Truth, append, longest_failure, read


@pytest.mark.parametrize(
    ("outcomes", "longest"),
    [
        ([], 0.0),
        ([(1.0, True), (2.0, True)], 0.0),
        ([(1.0, False)], 9.0),
        ([(1.0, False), (2.0, False), (3.0, True), (4.0, False), (5.0, True)], 2.0),
        ([(1.0, True), (2.0, False), (3.0, True), (4.0, False)], 6.0),
    ],
)
def test_the_longest_failure_lasts_from_a_failed_request_to_the_next_good_one(
    outcomes: list[tuple[float, bool]], longest: float
) -> None:
    assert longest_failure(outcomes, 10.0) == longest


def test_what_is_written_is_read(tmp_path: Path) -> None:
    truths = [Truth("refuse", 1.0, 2.0, 1.0, 0.001, None), Truth("partial", 3.0, 4.0, 0.01, 0.0, 7)]
    for truth in truths:
        append(truth, tmp_path / "truth.jsonl")
    assert read(tmp_path / "truth.jsonl") == truths
