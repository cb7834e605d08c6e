"""When an alert began to fire: bounds that hold whatever the looks fell on, and whatever clocks say."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from seatrial.checks.alerting import Wanted, clock_ahead, firings
from seatrial.model.alerts import AlertsSeen, FiringAlert
from seatrial.model.looks import Look

ZERO = 1_800_000_000.0


def seen(asked_s: float, took_s: float, began_s: float, ahead_s: float) -> Look[AlertsSeen]:
    """What a truthful source says, half-way through a look: its clock, and an alert that began then."""
    at_s = asked_s + took_s / 2
    alert = FiringAlert("Down", {}, ZERO + began_s + ahead_s)
    clock = math.floor(ZERO + at_s + ahead_s)
    return Look(asked_s, asked_s + took_s, AlertsSeen((alert,) if at_s >= began_s else (), None, clock))


@given(
    pauses=st.lists(st.floats(0.01, 2.0), min_size=2, max_size=60),
    took_s=st.floats(0.0, 0.3),
    share=st.floats(0.0, 1.0),
    ahead_s=st.floats(-5000.0, 5000.0),
)
def test_the_bounds_hold_the_instant_at_which_it_began(
    pauses: list[float], took_s: float, share: float, ahead_s: float
) -> None:
    instants, now_s = [], 0.0
    for pause in pauses:
        instants.append(now_s)
        now_s += took_s + pause
    began_s = share * now_s
    looks = [seen(asked_s, took_s, began_s, ahead_s) for asked_s in instants]
    lower_s, upper_s = clock_ahead(looks, ZERO)
    assert lower_s - 1e-5 <= ahead_s <= upper_s + 1e-5
    for firing in firings(looks, Wanted("Down", {}), ZERO):
        assert firing.began.lower_s - 1e-5 <= began_s <= firing.began.upper_s + 1e-5


def test_clocks_that_contradict_themselves_say_nothing() -> None:
    looks = [
        Look(0.0, 0.1, AlertsSeen((), None, int(ZERO))),
        Look(1.0, 1.1, AlertsSeen((), None, int(ZERO) + 90)),
    ]
    assert clock_ahead(looks, ZERO) == (-math.inf, math.inf)
    assert clock_ahead([], ZERO) == (-math.inf, math.inf)


def test_what_an_alert_tells_of_itself_narrows_a_look_that_came_late() -> None:
    """Nobody answered for ten seconds; then the alert fired, since half a second."""
    before = [seen(asked_s / 10, 0.01, 14.0, 0.0) for asked_s in range(40)]
    looks = [*before, seen(14.5, 0.01, 14.0, 0.0)]
    (firing,) = firings(looks, Wanted("Down", {}), ZERO)
    assert 13.8 < firing.began.lower_s <= 14.0
    assert firing.began.upper_s == 14.51


def test_the_same_alert_with_other_labels_is_another() -> None:
    one, two = FiringAlert("Down", {"member": "a"}), FiringAlert("Down", {"member": "b"})
    looks = [
        Look(0.0, 0.1, AlertsSeen(())),
        Look(1.0, 1.1, AlertsSeen((one,))),
        Look(2.0, 2.1, AlertsSeen((one, two))),
        Look(3.0, 3.1, AlertsSeen((two,))),
        Look(4.0, 4.1, AlertsSeen((one, two))),
    ]
    found = firings(looks, Wanted("Down", {}), ZERO)
    assert [(each.alert.labels["member"], each.began.upper_s, each.last_s) for each in found] == [
        ("a", 1.1, 2.0), ("b", 2.1, 4.0), ("a", 4.1, 4.0),
    ]  # fmt: skip
