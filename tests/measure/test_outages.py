"""Outages against a naive oracle, against planted truth, and at the edges of a log."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import oracle
from tests.support.oracle import Row
from tests.support.simulation import Behaviour, Planted

from seatrial.measure import downtime, measure, recovery
from seatrial.measure.completions import Completions
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import Measurement

TICK = 1 / 16  # exact in binary: comparisons with the oracle need no tolerance
DEADLINE = 8 * TICK
SETTLE = 6 * TICK


@st.composite
def rows(draw: st.DrawFn, least: int = 0, latest: int = 3) -> list[Row]:
    """Small logs on a coarse grid, where everything that can coincide does; sent up to `latest` ticks late."""
    built: list[Row] = []
    due = 0
    for _ in range(draw(st.integers(least, 14))):
        due += draw(st.integers(0, 4))
        sent = due + draw(st.integers(0, latest))
        fate = draw(st.sampled_from(["good", "good", "failed", "late", "unanswered", "dropped", "own"]))
        took = draw(st.integers(0, 6))
        never = {"unanswered": None, "dropped": None, "own": None}
        ended = {"late": due + 9 + took, **never}.get(fate, sent + took)
        built.append(
            Row(
                due * TICK,
                None if fate == "dropped" else sent * TICK,
                None if ended is None else ended * TICK,
                ok=fate in ("good", "late"),
                error="own: too many open files" if fate == "own" else "",
            )
        )
    return built


def measured(built: list[Row]) -> Measurement:
    return measure(oracle.log_of(built), DEADLINE, SETTLE)


@given(rows())
def test_episodes_and_perceived_bounds_are_those_of_the_definition(built: list[Row]) -> None:
    expected = [
        (
            built[runs[0][0]].intended,
            built[runs[-1][1]].intended,
            max(oracle.perceived(built, run, DEADLINE)[0] for run in runs),
            max(oracle.perceived(built, run, DEADLINE)[1] for run in runs),
            sum(last - first + 1 for first, last in runs),
            len(runs),
        )
        for runs in oracle.episodes(built, DEADLINE, SETTLE)
    ]
    found = [
        (o.start_s, o.end_s, o.perceived.lower_s, o.perceived.upper_s, o.bad, o.runs)
        for o in measured(built).outages
    ]
    assert found == expected


@given(rows())
def test_the_server_lower_bound_is_that_of_the_definition_and_never_above_the_upper(built: list[Row]) -> None:
    for runs, outage in zip(oracle.episodes(built, DEADLINE, SETTLE), measured(built).outages, strict=True):
        lower = max(oracle.server_lower(built, run, DEADLINE) for run in runs)
        assert outage.server.lower_s == min(lower, outage.server.upper_s)


@given(rows())
def test_the_server_upper_bound_leaves_room_for_every_silence_that_explains_the_failures(
    built: list[Row],
) -> None:
    for runs, outage in zip(oracle.episodes(built, DEADLINE, SETTLE), measured(built).outages, strict=True):
        for run in runs:
            assert outage.server.upper_s >= oracle.silence_behind(built, run, DEADLINE)
        longest = max((b - a for a, b in oracle.silences(built)), default=math.inf)
        assert outage.server.upper_s <= max(outage.perceived.upper_s, longest)


@given(rows(least=1))
def test_the_completion_gap_and_the_room_around_it_are_those_of_the_definition(built: list[Row]) -> None:
    gap = Completions.of(oracle.log_of(built)).longest_gap(-math.inf, math.inf)
    nothing = 0.0 if any(row.ok for row in built) else math.inf
    assert gap.upper_s == max((b - a for a, b in oracle.silences(built)), default=nothing)
    assert gap.lower_s >= oracle.completion_gap(built)
    assert gap.lower_s <= gap.upper_s


@given(rows(least=1), st.integers(0, 40), st.integers(1, 40))
def test_downtime_of_a_window_holds_what_is_perceived_in_it(
    built: list[Row], start: int, length: int
) -> None:
    start_s, end_s = start * TICK, (start + length) * TICK
    bounds = downtime(oracle.log_of(built), start_s, end_s, DEADLINE, SETTLE)
    assert 0 <= bounds.lower_s <= bounds.upper_s
    if not any(start_s <= row.intended < end_s for row in built):
        assert bounds.upper_s == math.inf
        return
    inside = [
        oracle.perceived(built, run, DEADLINE, start_s)
        for runs in oracle.episodes(built, DEADLINE, SETTLE)
        if built[runs[0][0]].intended < end_s
        for run in runs
        if run[1] + 1 == len(built) or (built[run[1] + 1].sent or 0.0) > start_s
    ]
    assert bounds.lower_s == max((lower for lower, _ in inside), default=0.0)
    assert bounds.upper_s >= max((upper for _, upper in inside), default=0.0)


@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_in_the_file_does_not_matter(built: list[Row], random: object) -> None:
    due = [row.intended for row in built]
    if len(set(due)) < len(due):
        return  # equal instants keep the order of the file
    shuffled = list(built)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert measured(shuffled) == measured(built)


behaviours: st.SearchStrategy[Behaviour] = st.sampled_from(["refuse", "hang", "stall", "errors"])


@st.composite
def planted(draw: st.DrawFn) -> Planted:
    start = draw(st.floats(1.0, 2.0))
    return Planted(
        start=start,
        end=start + draw(st.floats(0.01, 3.0)),
        behaviour=draw(behaviours),
        interval=draw(st.floats(0.004, 0.05)),
        latency=draw(st.floats(0.0001, 0.1)),
        deadline=draw(st.floats(0.15, 1.0)),
        duration=8.0,
        abandons=draw(st.booleans()),
        poisson=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32)),
    )


@given(planted())
def test_the_truth_of_a_planted_outage_lies_in_the_bounds(outage: Planted) -> None:
    log = oracle.log_of(outage.rows())
    measurement = measure(log, outage.deadline, 1.0)
    bounds = downtime(log, 0.5, outage.duration, outage.deadline, 1.0)
    assert bounds.upper_s >= outage.truth
    assert measurement.completion_gap.upper_s >= outage.truth
    if outage.behaviour != "stall":  # clients perceive no more of these than there is
        assert bounds.lower_s <= outage.truth + outage.latency + outage.interval
    assert len(measurement.outages) <= 1
    for found in measurement.outages:
        assert found.server.lower_s <= outage.truth <= found.server.upper_s


@given(planted())
def test_bounds_are_as_narrow_as_arrivals_latency_and_deadline_allow(outage: Planted) -> None:
    if outage.poisson:
        return  # a single long gap widens them without limit
    for found in measure(oracle.log_of(outage.rows()), outage.deadline, 1.0).outages:
        deadlines = {"refuse": 0, "errors": 0, "hang": 1, "stall": 2}[outage.behaviour]
        effects = deadlines * outage.deadline + 3 * outage.latency
        assert found.server.upper_s - found.server.lower_s <= 3 * outage.interval + effects


def evenly(fates: str, *, interval: float = 0.1, deadline: float = 0.5) -> RequestLog:
    """`.` good, `x` failed at once, `-` never answered, `d` dropped, `l` answered too late."""
    built = []
    for i, fate in enumerate(fates):
        due = i * interval
        ended = {"-": None, "d": None, "l": due + deadline + 0.01}.get(fate, due + 0.01)
        built.append(Row(due, None if fate == "d" else due, ended, ok=fate in ".l"))
    return oracle.log_of(built)


def test_an_outage_that_outlasts_the_log_has_no_upper_bound() -> None:
    (outage,) = measure(evenly("....xxx"), 0.5, 1.0).outages
    assert outage.perceived.lower_s == pytest.approx(0.2)
    assert outage.perceived.upper_s == outage.server.upper_s == math.inf
    assert downtime(evenly("....xxx"), 0.0, 1.0, 0.5, 1.0).upper_s == math.inf


def test_an_outage_before_the_log_counts_from_its_first_arrival() -> None:
    (outage,) = measure(evenly("xxx....." + "." * 10), 0.5, 1.0).outages
    assert outage.perceived.upper_s == pytest.approx(0.3)
    assert outage.server.upper_s == pytest.approx(0.31)


@pytest.mark.parametrize("fates", ["x", "xxxx", "----", "dddd"])
def test_a_log_without_a_good_request_is_one_outage_without_end(fates: str) -> None:
    measurement = measure(evenly(fates), 0.5, 1.0)
    (outage,) = measurement.outages
    assert outage.bad == len(fates) == measurement.bad
    assert outage.server.upper_s == math.inf


@pytest.mark.parametrize("fates", [".", "....."])
def test_a_log_without_a_bad_request_has_no_outage(fates: str) -> None:
    measurement = measure(evenly(fates), 0.5, 1.0)
    assert measurement.outages == ()
    assert measurement.degraded_s == 0


def test_an_empty_log_knows_nothing() -> None:
    measurement = measure(evenly(""), 0.5, 1.0)
    assert (measurement.requests, measurement.outages, measurement.latency) == (0, (), None)
    assert measurement.completion_gap.upper_s == math.inf
    assert downtime(evenly(""), 0.0, 1.0, 0.5, 1.0).upper_s == math.inf


def test_a_healthy_window_has_the_upper_bound_of_one_interval_and_one_latency() -> None:
    bounds = downtime(evenly("." * 50), 1.0, 4.0, 0.5, 1.0)
    assert bounds.lower_s == 0
    assert bounds.upper_s == pytest.approx(0.11)


def test_a_stall_that_no_deadline_noticed_is_in_the_upper_bound_of_downtime() -> None:
    stalled = Planted(2.0, 2.4, "stall", 0.01, 0.001, deadline=1.0, duration=5.0)
    log = oracle.log_of(stalled.rows())
    assert measure(log, 1.0, 1.0).outages == ()
    bounds = downtime(log, 0.0, 5.0, 1.0, 1.0)
    assert bounds.lower_s == 0
    assert stalled.truth <= bounds.upper_s <= stalled.truth + 0.02


def test_a_slow_request_does_not_widen_the_bounds_when_quick_ones_overlap_it() -> None:
    built = [Row(i / 100, i / 100, i / 100 + 0.001, ok=True) for i in range(300)]
    built[100] = Row(1.0, 1.0, 1.9, ok=True)
    bounds = downtime(oracle.log_of(built), 0.0, 3.0, 1.0, 1.0)
    assert bounds.upper_s < 0.03


def test_one_hung_request_in_flight_does_not_cost_a_deadline_when_the_next_were_refused() -> None:
    built = [Row(i / 100, i / 100, i / 100 + 0.001, ok=True) for i in range(500)]
    built[199] = Row(1.99, 1.99, None, ok=False)
    for i in range(200, 300):
        built[i] = Row(i / 100, i / 100, i / 100 + 0.0001, ok=False)
    (outage,) = measure(oracle.log_of(built), 0.8, 1.0).outages
    assert outage.server.lower_s == pytest.approx(0.99, abs=0.001)


def test_flapping_is_one_episode_with_the_bounds_of_its_longest_run() -> None:
    (outage,) = measure(evenly("." * 20 + "xxx..xxxxx..xx" + "." * 20), 0.5, 1.0).outages
    assert (outage.runs, outage.bad) == (3, 10)
    assert outage.perceived.lower_s == pytest.approx(0.4)
    assert outage.perceived.upper_s == pytest.approx(0.6)
    assert outage.equivalent_s == pytest.approx(1.0)


def test_runs_further_apart_than_the_settle_time_are_two_episodes() -> None:
    assert len(measure(evenly("..xx" + "." * 9 + "xx" + "." * 20), 0.5, 1.0).outages) == 2
    assert len(measure(evenly("..xx" + "." * 8 + "xx" + "." * 20), 0.5, 1.0).outages) == 1


def test_a_dropped_arrival_widens_the_upper_bounds_and_proves_nothing() -> None:
    measurement = measure(evenly("." * 10 + "ddd" + "." * 10), 0.5, 1.0)
    (outage,) = measurement.outages
    assert (outage.perceived.lower_s, outage.server.lower_s) == (0, 0)
    assert outage.perceived.upper_s == pytest.approx(0.4)
    assert (measurement.bad, measurement.unproven) == (3, 3)


def test_a_row_that_is_not_proven_parts_what_is_proven_of_an_outage() -> None:
    bounds = downtime(evenly("." * 10 + "xxxxxdxxx" + "." * 20), 0.0, 3.0, 0.5, 1.0)
    assert bounds.lower_s == pytest.approx(0.4)
    assert bounds.upper_s >= 1.0


def test_an_answer_that_is_late_only_because_it_was_sent_late_proves_nothing() -> None:
    built = [Row(i / 10, i / 10, i / 10 + 0.01, ok=True) for i in range(40)]
    for i in range(10, 20):  # sent 0.6 s late, answered at once
        built[i] = Row(i / 10, i / 10 + 0.6, i / 10 + 0.61, ok=True)
    measurement = measure(oracle.log_of(built), 0.5, 1.0)
    assert (measurement.bad, measurement.unproven) == (10, 10)
    assert downtime(oracle.log_of(built), 0.0, 4.0, 0.5, 1.0).lower_s == 0


def as_it_may_have_been(row: Row, good: bool) -> Row:
    """The same request, had the generator not failed at it: answered or refused at once."""
    return Row(row.intended, row.intended, row.intended, ok=good)


@given(rows(least=1, latest=0), st.data())
def test_whatever_the_service_would_have_made_of_unproven_rows_the_bounds_hold(
    built: list[Row], data: st.DataObject
) -> None:
    """Replace each row that is not proven by a good or a bad one: the bounds of that log lie no further in."""
    known: list[Row] = []
    for row in built:
        if oracle.is_good(row, DEADLINE) or oracle.is_proven(row, DEADLINE):
            known.append(row)
        else:
            known.append(as_it_may_have_been(row, data.draw(st.booleans())))
    guessed = downtime(oracle.log_of(built), -1.0, 10.0, DEADLINE, SETTLE)
    told = downtime(oracle.log_of(known), -1.0, 10.0, DEADLINE, SETTLE)
    assert guessed.lower_s <= told.lower_s
    assert told.upper_s <= guessed.upper_s


@given(rows(least=1, latest=0), st.booleans(), st.integers(0, 30))
def test_recovery_holds_whether_unproven_rows_were_all_good_or_all_bad(
    built: list[Row], good: bool, start: int
) -> None:
    known = [
        row
        if oracle.is_good(row, DEADLINE) or oracle.is_proven(row, DEADLINE)
        else as_it_may_have_been(row, good)
        for row in built
    ]
    guessed, told = (recovery(oracle.log_of(each), start * TICK, DEADLINE, SETTLE) for each in (built, known))
    assert told is None or guessed is not None
    if guessed is not None and told is not None:
        assert guessed.lower_s <= told.lower_s
        assert told.upper_s <= guessed.upper_s


def test_what_lies_before_a_window_is_cut_and_an_outage_that_begins_in_it_counts_whole() -> None:
    log = evenly("." * 10 + "x" * 10 + "." * 10 + "x" * 5 + "." * 20)
    cut = downtime(log, 1.55, 2.5, 0.5, 0.3)
    assert cut.lower_s == pytest.approx(1.9 - 1.55)
    assert cut.upper_s == pytest.approx(2.01 - 1.55)
    whole = downtime(log, 2.5, 3.1, 0.5, 0.3)
    assert whole.lower_s == pytest.approx(0.4)


@pytest.mark.parametrize(("mark_s", "name"), [(1.005, "kill"), (0.5, "kill"), (1.02, ""), (3.0, "")])
def test_an_outage_is_named_after_the_latest_mark_before_its_onset(mark_s: float, name: str) -> None:
    """The request of 1.0 s was in flight at 1.005 s and failed at 1.01 s."""
    log = evenly("." * 10 + "x" * 5 + "." * 20)
    (outage,) = measure(log, 0.5, 1.0, marks=[("early", -1.0)] * (name != "") + [("kill", mark_s)]).outages
    assert outage.name == name


def test_a_stray_error_before_a_fault_does_not_take_its_name() -> None:
    log = evenly("." * 10 + "x" + "." * 4 + "x" * 5 + "." * 20)
    (outage,) = measure(log, 0.5, 1.0, marks=[("deploy", 0.5), ("kill", 1.45), ("later", 1.8)]).outages
    assert outage.runs == 2
    assert outage.name == "kill"


def test_rows_before_the_measured_part_are_witnesses_only() -> None:
    log = evenly("." * 10 + "x" * 3 + "." * 27)
    shifted = RequestLog(
        log.intended - 1.05, log.sent - 1.05, log.ended - 1.05, log.ok, log.status, log.name,
        log.served_by, log.error, log.worker,
    )  # fmt: skip
    measurement = measure(shifted, 0.5, 1.0)
    assert measurement.start_s == 0
    assert measurement.requests == 29
    assert measurement.bad == 2
    assert measurement.outages[0].start_s < 0
    assert np.isfinite(measurement.outages[0].server.upper_s)


# witnesses


@given(rows(least=1, latest=0))
def test_the_bounds_of_an_outage_are_read_from_its_witnesses(built: list[Row]) -> None:
    log = oracle.log_of(built).sorted()
    good = log.good(DEADLINE)
    for outage in measure(log, DEADLINE, SETTLE).outages:
        seen = outage.witnesses
        assert seen is not None
        assert not good[seen.first_bad : seen.last_bad + 1].any()
        begun_s = log.intended[seen.first_bad if seen.last_good is None else seen.last_good]
        upper_s = np.inf if seen.first_good is None else log.sent[seen.first_good] - begun_s
        assert outage.perceived.upper_s == pytest.approx(upper_s)
        for beside in (seen.last_good, seen.first_good):
            assert beside is None or good[beside]
        assert (seen.silent_since_s is not None) == (outage.server.upper_s > outage.perceived.upper_s)


def test_where_the_longest_silence_is_the_wider_bound_it_is_known_since_when_it_lasted() -> None:
    built = [Row(i / 10, i / 10, i / 10 + 0.01, ok=True) for i in range(40)]
    built[19] = Row(
        1.9, 1.9, 2.6, ok=True
    )  # slow, and answered after the bad ones: it proves nothing in between
    for i in range(20, 25):
        built[i] = Row(i / 10, i / 10, i / 10 + 0.01, ok=False)
    for i in range(25, 28):
        built[i] = Row(i / 10, i / 10, 2.9, ok=True)
    (outage,) = measure(oracle.log_of(built), 1.0, 1.0).outages
    seen = outage.witnesses
    assert seen is not None
    assert (seen.last_good, seen.first_bad, seen.last_bad, seen.first_good) == (19, 20, 24, 25)
    assert seen.silent_since_s == pytest.approx(1.9)
    assert outage.server.upper_s == pytest.approx(2.81 - 1.9)  # until the answer to the request of 2.8 s
