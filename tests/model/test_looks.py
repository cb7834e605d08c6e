from __future__ import annotations

import pytest

from seatrial.model.looks import Blind, Look, blind


def look(asked_s: float, error: str = "") -> Look[str]:
    return Look(asked_s, asked_s + 0.1, None if error else "seen", error)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([], [Blind(0.0, 10.0)]),
        ([look(second) for second in range(-2, 12)], []),
        ([look(0), look(1), look(5), look(6), look(7), look(8), look(9)], [Blind(1.1, 5)]),
        ([look(-3), look(0), look(1, "away"), look(2, "still away"), look(4), look(6), look(8), look(9)],
         [Blind(0.1, 4, "still away")]),
        ([look(second) for second in range(6)], [Blind(5.1, 10.0)]),
        ([look(-9), look(12)], [Blind(0.0, 10.0)]),
    ],
)  # fmt: skip
def test_stretches_that_nobody_saw(looks: list[Look[str]], expected: list[Blind]) -> None:
    assert list(blind(looks, 0.0, 10.0, 3.0)) == expected


def test_instants_count_from_anywhere() -> None:
    assert Look(12.0, 12.5, "seen").since(10.0) == Look(2.0, 2.5, "seen")
