"""A change of the arrivals begins and ends exactly when it was planned to."""

from __future__ import annotations

import math

import pytest

from seatrial.model.undo import UndoOutcome
from seatrial.run.arrivalchange import ArrivalChange

SALE = ArrivalChange("sale", 10.0, 5.0, 10.0)


def test_its_window_is_what_the_arrivals_are_computed_with() -> None:
    assert SALE.window == (10.0, 15.0, 10.0)


@pytest.mark.parametrize(
    ("now_s", "begun_s", "undone_s", "undo"),
    [
        (-math.inf, None, None, UndoOutcome.NOT_INJECTED),
        (9.9, None, None, UndoOutcome.NOT_INJECTED),
        (12.0, 10.0, 12.0, UndoOutcome.VERIFIED),  # a run that ends now ends it as well
        (20.0, 10.0, 15.0, UndoOutcome.VERIFIED),
    ],
)
def test_what_has_become_of_it(
    now_s: float, begun_s: float | None, undone_s: float | None, undo: UndoOutcome
) -> None:
    record = SALE.record(now_s)
    assert (record.before_s, record.injected_s, record.undone_s, record.undo) == (
        begun_s,
        begun_s,
        undone_s,
        undo,
    )
    assert (record.kind, record.does, record.role) == ("fault", "traffic.spike", "load")
    assert not record.left_behind
