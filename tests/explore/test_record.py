"""What was tried is told by lines, and comes back out of them, whatever a kill has torn."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explore.conftest import SPACE, random_schedule

from seatrial.explore.record import Finding, Outcome, Purpose, Record, Standing, Trial, line_of, record_of
from seatrial.explore.schedule import SLOTS, Injection
from seatrial.model.verdict import Verdict

WEAKNESS = (Injection(0, "process.pause on gamma", 8),)


def trial(schedule: tuple[Injection, ...], purpose: Purpose, verdict: Verdict) -> Trial:
    violated = frozenset({"errors"} if verdict is Verdict.FAIL else ())
    return Trial(schedule, purpose, Outcome(verdict, violated, ("because",), "runs/1"))


def finding(standing: Standing) -> Finding:
    return Finding(
        standing, WEAKNESS, WEAKNESS, frozenset({"errors"}), 4, 4, (("a", "kept it"),), ("why",), "r", 9
    )


@given(st.lists(st.tuples(st.integers(), st.sampled_from(Purpose), st.sampled_from(Verdict))))
def test_a_record_comes_back_out_of_its_lines(some: list[tuple[int, Purpose, Verdict]]) -> None:
    trials = [trial(random_schedule(random.Random(seed)), why, verdict) for seed, why, verdict in some]
    entries: list[Trial | Finding] = [*trials, finding(Standing.FACT)]
    lines = [line_of(each, SPACE.slot_s) for each in entries]
    record = record_of(lines, SPACE.slot_s)
    assert record.trials == trials
    assert record.findings == [finding(Standing.FACT)]


def test_a_torn_line_and_strange_ones_are_passed_over() -> None:
    whole = line_of(trial(WEAKNESS, Purpose.SEARCH, Verdict.PASS), 1.0)
    record = record_of([whole, whole[:40], "", "[]", "{}", "null", whole], 1.0)
    assert len(record.trials) == 2


@pytest.mark.parametrize(
    "damage",
    [
        ('"slot_s":1.0', '"slot_s":1e999'),
        ('"slot_s":1.0', '"slot_s":-1.0'),
        ("[[0,", "[[-3,"),
        (",8]]", ",0]]"),
        (",8]]", ",1e999]]"),
        ('"failed":4', '"failed":5'),
        ('"violated":["errors"]', f'"violated":{"[" * 100_000}'),
    ],
)
def test_a_line_that_was_damaged_is_passed_over_whatever_it_says(damage: tuple[str, str]) -> None:
    whole = line_of(finding(Standing.FACT), 1.0)
    assert damage[0] in whole
    assert record_of([whole.replace(*damage), whole], 1.0).findings == [finding(Standing.FACT)]


@given(st.floats(0.01, 100), st.integers())
def test_on_another_grid_a_schedule_stays_within_it(slot_s: float, seed: int) -> None:
    line = line_of(trial(random_schedule(random.Random(seed)), Purpose.SEARCH, Verdict.PASS), 1.0)
    (read,) = record_of([line], slot_s).trials
    assert all(each.at >= 0 and each.length >= 1 and each.end <= SLOTS for each in read.schedule)


def test_a_failure_is_unfinished_until_it_is_told_what_it_is() -> None:
    record = Record()
    failed = trial(WEAKNESS, Purpose.SEARCH, Verdict.FAIL)
    again = trial(WEAKNESS, Purpose.REPEAT, Verdict.FAIL)
    record.add(trial((), Purpose.CONTROL, Verdict.PASS))
    record.add(failed)
    record.add(trial((), Purpose.CONTROL, Verdict.PASS))  # of whoever continues
    record.add(again)
    assert record.unfinished == (failed, again)
    record.add(finding(Standing.FACT))
    assert not record.unfinished
    assert record.known == [finding(Standing.FACT)]
    record.add(finding(Standing.MENDED))
    assert not record.known


def test_a_search_that_passed_leaves_nothing_open() -> None:
    record = Record()
    record.add(trial(WEAKNESS, Purpose.SEARCH, Verdict.FAIL))
    record.add(trial(WEAKNESS, Purpose.SEARCH, Verdict.UNKNOWN))
    assert not record.unfinished
    assert record.searched == 2
