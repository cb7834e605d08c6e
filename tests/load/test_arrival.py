"""When a request was due, as far as that can be told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load import arrival as module
from seatrial.load.arrival import Arrival


class Clock:
    """Time zero is 0 on it."""

    now_s = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stands = Clock()
    monkeypatch.setattr("seatrial.load.arrival.time.monotonic", lambda: stands.now_s)
    return stands


def served(clock: Clock, *dues: float, took_s: float = 0.0) -> Arrival:
    """A user that has served arrivals one after the other, each from when the clock stood."""
    user = Arrival(0.0)
    for due_s in dues:
        clock.now_s = max(clock.now_s, due_s)
        assert list(user.begin(due_s, due_s)) == []
        clock.now_s += took_s
        user.end()
    return user


def test_the_first_request_of_an_arrival_was_due_with_it(clock: Clock) -> None:
    clock.now_s = 5.0
    user = served(clock)
    list(user.begin(4.0))
    assert user.take_due() == 4.0
    assert user.take_due() == 5.0
    assert user.due_of(5.0) == 5.0
    assert user.requests == 3


def test_reports_of_arrivals_begun_at_once_hide_no_lateness(clock: Clock) -> None:
    clock.now_s = 3.0
    user = served(clock, 1.0, 2.0, 3.0)
    assert [user.due_of(3.0004) for _ in range(4)] == [1.0, 2.0, 3.0, 3.0004]
    assert list(user.give_up()) == []


def test_a_report_that_comes_when_the_next_arrival_is_served_is_of_its_own(clock: Clock) -> None:
    clock.now_s = 0.0
    user = served(clock, 1.0)
    clock.now_s = 2.5
    list(user.begin(2.0, "second"))
    assert user.due_of(1.0002) == 1.0
    assert user.requests == 0
    assert user.due_of(2.5) == 2.0
    assert user.requests == 1


def test_what_was_sent_when_no_arrival_was_served_is_nobodys(clock: Clock) -> None:
    clock.now_s = 0.0
    user = served(clock, 1.0, 2.0)
    assert user.due_of(1.5) == 1.5
    assert list(user.give_up()) == [1.0]  # the last one has a request, as far as anybody can tell


def test_those_without_a_request_are_told_when_there_are_too_many_and_in_the_end(clock: Clock) -> None:
    user = Arrival(0.0)
    most = module._MOST_REMEMBERED
    told: list[object] = []
    for number in range(most + 4):
        clock.now_s = float(number)
        told += user.begin(clock.now_s, number)
        user.end()
    assert told == [0, 1, 2]
    assert list(user.give_up()) == list(range(3, most + 4))
    assert list(user.give_up()) == []


def test_one_that_is_on_record_otherwise_is_not_missed(clock: Clock) -> None:
    user = served(clock, 1.0)
    user.forget()
    assert list(user.give_up()) == []


@st.composite
def courses(draw: st.DrawFn) -> list[tuple[float, float, float]]:
    """Arrivals of one user, each with when it was due, when it sent its one request, and when it was over."""
    course: list[tuple[float, float, float]] = []
    free_s = 0.0
    for gap_ms in draw(st.lists(st.integers(0, 20), min_size=1, max_size=30)):
        due_s = (course[-1][0] if course else 0.0) + gap_ms / 1e3
        began_s = max(due_s, free_s) + draw(st.integers(0, 30)) / 1e3
        sent_s = began_s + draw(st.integers(0, 3)) / 1e3
        free_s = sent_s + draw(st.integers(0, 3)) / 1e3
        course.append((due_s, sent_s, free_s))
    return course


@given(courses(), st.integers(0, 29))
def test_reports_in_the_order_of_sending_are_of_their_own_arrivals_however_late_they_come(
    course: Sequence[tuple[float, float, float]], behind: int
) -> None:
    stands, user = Clock(), Arrival(0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seatrial.load.arrival.time.monotonic", lambda: stands.now_s)
        found, told = [], 0
        for number, (due_s, sent_s, over_s) in enumerate(course):
            stands.now_s = sent_s
            assert list(user.begin(due_s, number)) == []
            stands.now_s = over_s
            user.end()
            while told <= number - behind:
                found.append(user.due_of(course[told][1]))
                told += 1
        found += [user.due_of(sent_s) for _, sent_s, _ in course[told:]]
    assert found == [due_s for due_s, _, _ in course]
    assert list(user.give_up()) == []
