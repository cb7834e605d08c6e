from __future__ import annotations

import pytest

from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.undo import registry
from seatrial.undo.protocol import ChangingArrivals

LOAD = Role("load", "none", {}, (), ".")


def test_it_changes_the_arrivals_and_touches_nobody() -> None:
    spike = registry.build("traffic.spike", {"times": 3})
    assert isinstance(spike, ChangingArrivals)
    assert spike.arrival_factor() == 3
    undo = spike.prepare(LOAD)
    assert (undo.touches, undo.by_hand) == ("nobody: the load alone", "")
    for done in (spike.inject, spike.undo):
        done(undo)


def test_no_other_fault_is_taken_for_one() -> None:
    able = [
        name for name, found in registry.FAULTS.all().items() if hasattr(found.declared, "arrival_factor")
    ]
    assert able == ["traffic.spike"]


@pytest.mark.parametrize("times", [0, -1, 1001, "many"])
def test_how_many_times_is_a_number_that_can_be_meant(times: object) -> None:
    with pytest.raises(BadInput, match=r"with\.times"):
        registry.build("traffic.spike", {"times": times})
