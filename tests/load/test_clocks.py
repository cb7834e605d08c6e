"""Clocks of other machines: whatever they truly did lies within what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import columnar
from seatrial.load.clocks import MOST_DRIFT, Clock, RoundTrip, Told, exactness, moved, unknown
from seatrial.measure import measure, recovery
from seatrial.measure.importers import read
from seatrial.measure.outages import downtime
from seatrial.model.requestlog import Coded, Floats, RequestLog
from seatrial.model.result import Bounds

DEADLINE_S = 0.5
ZERO_S = 1000.0


class OtherClock:
    """A clock that is ahead, drifts, and drifts differently from each `turns_at_s` on."""

    def __init__(self, ahead_s: float, drifts: list[float], lasts_s: float = 60.0) -> None:
        self._at = np.linspace(0.0, lasts_s, len(drifts) + 1)
        steps = np.array(drifts) * np.diff(self._at)
        self._ahead = np.append(ahead_s, ahead_s + np.cumsum(steps))

    def ahead(self, at: Floats) -> Floats:
        return np.asarray(np.interp(at, self._at, self._ahead))

    def shows(self, at: Floats) -> Floats:
        return at + self.ahead(at)


drifts = st.lists(st.floats(-0.9 * MOST_DRIFT, 0.9 * MOST_DRIFT), min_size=1, max_size=6)


@st.composite
def clocks(draw: st.DrawFn) -> tuple[OtherClock, list[RoundTrip]]:
    other = OtherClock(draw(st.floats(-300, 300)), draw(drifts))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    asked = np.sort(chance.uniform(0, 60, draw(st.integers(1, 40))))
    there, back = chance.exponential(draw(st.sampled_from([1e-4, 0.05])), (2, len(asked)))
    shown = other.shows(asked + there)
    return other, list(map(RoundTrip, asked.tolist(), shown.tolist(), (asked + there + back).tolist()))


@settings(deadline=None)
@given(clocks(), st.lists(st.floats(0, 60), min_size=1, max_size=20))
def test_the_truth_lies_within_the_band(
    seen: tuple[OtherClock, list[RoundTrip]], instants: list[float]
) -> None:
    other, trips = seen
    clock, at = Clock.of(trips), np.array(instants)
    lower, upper = clock.bounds(at)
    assert clock.known
    assert np.all(lower - 1e-9 <= other.ahead(at))
    assert np.all(other.ahead(at) <= upper + 1e-9)
    ours, doubt = clock.ours(other.shows(at))
    assert np.all(np.abs(ours - at) <= doubt + 1e-9)


def test_a_quick_round_trip_decides_for_those_around_it() -> None:
    slow = [RoundTrip(at, at + 5.2, at + 0.4) for at in (0.0, 2.0)]
    quick = RoundTrip(1.0, 6.0001, 1.0002)
    ahead, doubt = Clock.of([*slow, quick]).ahead(np.array([1.0, 3.0]))
    assert ahead == pytest.approx([5.0, 5.0], abs=0.001)
    assert doubt == pytest.approx([0.0001, 0.0001 + 2 * MOST_DRIFT], abs=1e-6)


def test_a_clock_that_was_set_is_not_known() -> None:
    trips = [RoundTrip(at, at + ahead, at + 0.001) for at, ahead in ((0.0, 0.2), (1.0, 0.2), (2.0, 0.3))]
    assert Clock.of(trips[:2]).known
    assert not Clock.of(trips).known
    assert not Clock.of([]).known
    told = moved(rows_of(np.arange(3.0), np.arange(3.0), np.ones(3, bool)), Clock.of(trips), 0, 0, "1")[1]
    assert told.doubt_s is None
    assert unknown([told, Told("2", 0.0, 0.0, 0.001, 4), Told("3", 0.0, 0.0, 0.4, 4)]) == [
        "worker 1",
        "worker 3 (by 400 ms at the most)",
    ]


def rows_of(intended: Floats, ended: Floats, ok: np.ndarray, worker: str = "0") -> RequestLog:
    nothing = Coded(np.zeros(len(intended), dtype=np.int32), ("",))
    workers = Coded(nothing.codes, (worker,))
    return RequestLog(intended, intended, ended, ok, ok.astype(np.int16), nothing, nothing, nothing, workers)


@st.composite
def shared_runs(draw: st.DrawFn) -> tuple[RequestLog, list[tuple[OtherClock, RequestLog, Clock]]]:
    """The rows of workers as they truly were, and what each has written down by a clock of its own."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, workers = draw(st.integers(40, 200)), draw(st.integers(2, 4))
    sent = np.arange(count) / 20 + 5
    ended = sent + chance.exponential(0.002, count)
    down = np.sort(chance.uniform(5, sent[-1], 2))
    ok = (sent < down[0]) | (ended > down[1])
    seen = []
    for number in range(workers):
        other = OtherClock(draw(st.floats(-0.2, 0.2)), draw(drifts))
        mine = slice(number, None, workers)
        asked = np.arange(0.0, 25.0, 0.5)
        there, back = chance.uniform(0.0, draw(st.sampled_from([0.001, 0.06])), (2, len(asked)))
        trips = map(RoundTrip, asked, other.shows(asked + there), asked + there + back)
        rows = rows_of(other.shows(sent[mine]), other.shows(ended[mine]), ok[mine], str(number))
        seen.append((other, rows, Clock.of(trips)))
    return rows_of(sent, ended, ok), seen


@settings(deadline=None, max_examples=60)
@given(shared_runs())
def test_bounds_of_rows_that_were_moved_hold_those_of_the_truth(
    run: tuple[RequestLog, list[tuple[OtherClock, RequestLog, Clock]]],
) -> None:
    truth, seen = run
    found = [moved(rows, clock, 0.0, 0.0, str(number)) for number, (_, rows, clock) in enumerate(seen)]
    log, exact = RequestLog.concat([rows for rows, _ in found]), exactness([told for _, told in found])
    wider = downtime(log, 6.0, 100.0, DEADLINE_S, 1.0, exact)
    assert holds(wider, downtime(truth, 6.0, 100.0, DEADLINE_S, 1.0))
    measured, known = (
        measure(each, DEADLINE_S, 1.0, 5.0, 100.0, exact=of)
        for each, of in ((log, exact), (truth, exactness([])))
    )
    assert holds(measured.completion_gap, known.completion_gap)
    again, truly = (
        recovery(each, 6.0, DEADLINE_S, 1.0, exact=of) for each, of in ((log, exact), (truth, exactness([])))
    )
    assert again is not None
    assert truly is not None
    assert holds(again, truly)


def holds(wider: Bounds, narrower: Bounds) -> bool:
    return wider.lower_s <= narrower.lower_s + 1e-6 and narrower.upper_s <= wider.upper_s + 1e-6


def test_a_log_carries_its_doubt_to_whoever_measures_it(tmp_path: Path) -> None:
    log = rows_of(np.arange(40) / 10, np.arange(40) / 10 + 0.001, np.arange(40) != 20)
    for doubt_s, expected_s, said in ((0.003, 0.003, ""), (None, 0.0, "the clock of worker 0 is not known")):
        told = {"clock": {"worker": "0", "doubt_s": doubt_s}}
        path = tmp_path / "log.parquet"
        with path.open("wb") as file:
            columnar.write(columnar.table_of(log, {columnar.METADATA: json.dumps({"workers": [told]})}), file)
        imported = read(path, "auto")
        assert imported.exact.sent_early_s == expected_s
        assert imported.doubt == said
