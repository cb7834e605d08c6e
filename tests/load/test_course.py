"""What several workers offer is one sequence, each arrival once, whoever is lost and whatever is found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import tests.support.unpatched_locust  # noqa: F401  # before gevent
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.agreement import Agreement
from seatrial.load.course import Course
from seatrial.load.feed import Feed
from seatrial.load.offer import Offer, Share
from seatrial.load.spool import SpoolHeader
from seatrial.model.arrivals import RateStep, Spacing
from seatrial.model.quantities import Rate

OFFER = Offer((RateStep(0.0, Rate(50, 1.0)),), "poisson", 5, 0.5, 4.0)
LONG_AGO_S = -1e9


@given(st.integers(1, 5), st.data(), st.integers(1, 4))
def test_the_parts_of_a_share_are_the_share(count: int, data: st.DataObject, parts: int) -> None:
    share = Share(data.draw(st.integers(0, count - 1)), count)
    taken = [arrival for part in range(parts) for arrival in OFFER.arrivals([1, 3], share.part(part, parts))]
    assert sorted(taken) == sorted(islice(OFFER.arrivals([1, 3], share), 10_000))


@dataclass(eq=False)
class Played:
    """A task that makes so many requests each time."""

    name: str
    requests: int
    weight: float


@dataclass
class Ringing:
    """An alarm that rings as often as it is set to an instant that is past."""

    ring: Callable[[], None]
    at_s: float | None = None

    def set(self, at_s: float) -> None:
        self.at_s = at_s

    def close(self) -> None:
        self.at_s = None

    def let_all_out(self) -> None:
        while self.at_s is not None:
            self.ring()


class Worker:
    """One of several, long after its test: what it knows of is due at once, and over at once."""

    def __init__(self, offer: Offer, tasks: Sequence[Any], share: Share, feed: Any = None) -> None:
        header = SpoolHeader(str(share.index), 1, LONG_AGO_S, 0.0, offer, share, 1.0, "x.py", "http://here")
        self.tasks = tasks
        self.launched: list[tuple[float, int]] = []
        self.rows: dict[float, int | None] = {}
        self.feed = feed
        self.corrected: list[Offer] = []
        self.alarms: list[Ringing] = []
        self.course = Course(header, tasks, feed, self._launch, self.corrected.append, self.corrected.clear)  # type: ignore[arg-type]
        self.course.start(self._alarm)
        self.go_on()

    def go_on(self) -> None:
        for alarm in self.alarms:
            alarm.let_all_out()

    def _alarm(self, ring: Callable[[], None]) -> Ringing:
        self.alarms.append(Ringing(ring))
        return self.alarms[-1]

    def _launch(self, intended: float, choice: int, feed: Any = None) -> None:
        self.launched.append((intended, choice))
        self.course.seen(self.tasks[choice], self.tasks[choice].requests)
        if found := feed or self.feed:
            self.rows[intended] = found.next_row()


class Fleet:
    """Workers of one test and what their master makes of it; `settle` is one of two corrections."""

    def __init__(self, offer: Offer, tasks: Sequence[Any], count: int, feed: Feed | None = None) -> None:
        shares = [Share(index, count) for index in range(count)]
        self.agreement = Agreement(offer, tasks)
        self.workers = [Worker(offer, tasks, share, feed.of(share) if feed else None) for share in shares]

    def settle(self) -> None:
        for index, worker in enumerate(self.workers):
            self.agreement.hear(index, worker.course.shown)
        self.offer = self.agreement.settle()

    def tell(self, *silent: int) -> None:
        for index, worker in enumerate(self.workers):
            if index not in silent:
                worker.course.follow(self.agreement._agreed)
                worker.go_on()

    def launched(self) -> list[tuple[float, int]]:
        return sorted(arrival for worker in self.workers for arrival in worker.launched)


def requested(rate: float, spacing: Spacing = "even", seed: int = 3) -> Offer:
    shape = (RateStep(0.0, Rate(rate, 1.0)), RateStep(2.0, Rate(2 * rate, 1.0)))
    return Offer(shape, spacing, seed, 4.0, 4.0, "requests")


@given(
    st.integers(2, 5),
    st.integers(1, 9),
    st.floats(20, 200),
    st.sampled_from(["even", "poisson"]),
    st.booleans(),
)
def test_a_rate_of_requests_is_one_sequence_of_arrivals_for_all(
    count: int, size: int, rate: float, spacing: Spacing, late: bool
) -> None:
    tasks = [Played("look", 1, 3.0), Played("buy", size, 1.0)]
    fleet = Fleet(requested(rate, spacing), tasks, count)
    fleet.settle()
    fleet.tell(*([0] if late else []))  # one hears of both corrections at once
    fleet.settle()
    fleet.tell()
    assert fleet.offer.counts == "arrivals"
    assert all(worker.corrected == [fleet.offer] for worker in fleet.workers)
    assert fleet.offer.per_arrival is not None
    assert fleet.offer.per_arrival.mean == (3 + size) / 4, "tasks are constant: the mean is exact"
    weights = [task.weight for task in tasks]
    assert fleet.launched() == sorted(fleet.offer.arrivals(weights, Share()))
    for index, worker in enumerate(fleet.workers):
        assert sorted(worker.launched) == sorted(fleet.offer.arrivals(weights, Share(index, count)))
    seen = sum(
        at_s < -2 or (at_s < 0 and not late) for worker in fleet.workers for at_s, _ in worker.launched
    )
    if not late:
        assert fleet.offer.per_arrival.arrivals == seen, "each was counted once, by one of them"


@given(st.integers(2, 4), st.floats(-4, 4), st.integers(0, 2), st.floats(20, 200))
def test_what_a_lost_one_leaves_is_taken_over_whatever_is_known_by_then(
    count: int, from_s: float, known: int, rate: float
) -> None:
    rows: Any = range(100_000)
    feed = Feed(rows, "sequential", 0, Share())
    fleet = Fleet(requested(rate, "poisson"), [Played("buy", 3, 1.0)], count, feed)
    lost = fleet.workers[-1]

    def take_over() -> None:
        heirs = fleet.workers[:-1]
        for part, heir in enumerate(heirs):
            heir.course.take(count - 1, part, len(heirs), from_s)
            heir.go_on()

    for step in range(3):
        if step == known:
            take_over()
        if step < 2:
            fleet.settle()
            fleet.tell(*([count - 1] if step >= known else []))
    every = list(fleet.offer.arrivals([1.0], Share()))
    own = {arrival for arrival in every if arrival[0] >= from_s}
    theirs = sorted(arrival for worker in fleet.workers[:-1] for arrival in worker.launched)
    assert theirs == [each for number, each in enumerate(every) if number % count != count - 1 or each in own]
    numbers = {at_s: number for number, (at_s, _) in enumerate(every)}
    for worker in fleet.workers[:-1]:
        assert worker.rows == {at_s: numbers[at_s] for at_s in worker.rows}, "each has the row of its number"
    assert lost.launched == sorted(lost.launched)


def test_who_has_stopped_does_not_go_on() -> None:
    fleet = Fleet(requested(100), [Played("buy", 3, 1.0)], 2)
    fleet.settle()
    fleet.workers[0].course.stop()
    before = len(fleet.workers[0].launched)
    fleet.tell()
    assert len(fleet.workers[0].launched) == before
    assert fleet.workers[0].course.shown
