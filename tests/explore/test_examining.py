"""A failure that is looked into: what chance and runs without proof make of it, and what they must not."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable

import pytest
from tests.explore.conftest import RULES, SPACE

from seatrial.explore.examining import Examination, tries_needed
from seatrial.explore.record import Finding, Outcome, Purpose, Standing, Trial
from seatrial.explore.schedule import Injection, Schedule, choices_of, scheduled
from seatrial.model.verdict import Verdict

A, B, C = "process.kill on alpha", "process.pause on beta", "process.kill on delta"
WHOLE = scheduled([Injection(2, A, 8), Injection(4, B, 8), Injection(5, C, 4)])
FAILED = Outcome(Verdict.FAIL, frozenset({"errors"}))
PASSED, UNKNOWN = Outcome(Verdict.PASS), Outcome(Verdict.UNKNOWN)

Becomes = Callable[[Schedule, Purpose], Outcome]


def examined(becomes: Becomes, whole: Schedule = WHOLE, passed: tuple[Schedule, ...] = ()) -> Finding:
    """What a failure of `whole` turns out to be, of four repetitions."""
    origin = Trial(whole, Purpose.SEARCH, FAILED)
    return Examination(origin, SPACE, 4, becomes, deque(), passed).finding()


def both(schedule: Schedule, _: Purpose) -> Outcome:
    return FAILED if {A, B} <= choices_of(schedule) else PASSED


def test_what_is_left_is_repeated_as_often_as_was_asked_for_and_the_whole_until_it_is_clear() -> None:
    ran: Counter[tuple[Purpose, Schedule]] = Counter()

    def run(schedule: Schedule, purpose: Purpose) -> Outcome:
        ran[purpose, schedule] += 1
        return both(schedule, purpose)

    finding = examined(run)
    assert finding.schedule == scheduled([Injection(0, A, 1), Injection(0, B, 1)])
    assert (finding.failed, finding.of, finding.complete) == (4, 4, True)
    assert ran[Purpose.REPEAT, WHOLE] == 2
    assert ran[Purpose.REPEAT, finding.schedule] == 4
    assert finding.runs == ran.total() <= 15


def test_what_passed_before_is_not_suspected_first() -> None:
    """Each fault was in something that passed, and so were two of the pairs: the third is tried first."""
    tried: list[Schedule] = []

    def run(schedule: Schedule, purpose: Purpose) -> Outcome:
        if purpose is Purpose.SHRINK:
            tried.append(schedule)
        return both(schedule, purpose)

    first, second, third = WHOLE
    examined(run, passed=((first, third), (second, third)))
    assert choices_of(tried[0]) == {A, B}


@pytest.mark.parametrize("seed", range(8))
def test_runs_that_prove_nothing_are_run_again_and_leave_no_fault_that_is_not_needed(seed: int) -> None:
    draw = random.Random(seed)
    finding = examined(lambda *about: UNKNOWN if draw.random() < 0.3 else both(*about))
    assert finding.standing is Standing.FACT
    assert not finding.complete or choices_of(finding.schedule) == {A, B}


def test_what_nobody_could_tell_of_is_not_told_to_be_needed() -> None:
    finding = examined(lambda *about: UNKNOWN if about[1] is Purpose.SHRINK else both(*about))
    assert finding.schedule == WHOLE
    assert (finding.standing, finding.complete) == (Standing.FACT, False)


def test_a_step_that_failed_by_chance_is_taken_back() -> None:
    """A alone fails for once: it is no weakness, and that A and B are one is found all the same."""
    by_chance = [True]

    def run(schedule: Schedule, purpose: Purpose) -> Outcome:
        if choices_of(schedule) == {A} and by_chance:
            by_chance.clear()
            return FAILED
        return both(schedule, purpose)

    finding = examined(run)
    assert not by_chance
    assert choices_of(finding.schedule) == {A, B}
    assert (finding.failed, finding.of) == (4, 4)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_left_fails_surely_where_a_longer_fault_does(seed: int) -> None:
    """A slot is only just enough, in a third of the runs: whoever has to mend it is given what shows it."""
    draw = random.Random(seed)

    def run(schedule: Schedule, _: Purpose) -> Outcome:
        length = next((each.length for each in schedule if each.choice == C), 0)
        return FAILED if length > 1 or (length == 1 and draw.random() < 1 / 3) else PASSED

    finding = examined(run)
    assert choices_of(finding.schedule) == {C}
    assert (finding.failed, finding.of) == (4, 4)


@pytest.mark.parametrize("seed", range(8))
def test_what_fails_now_and_then_is_made_to_last_until_it_fails_surely(seed: int) -> None:
    """Two faults of two slots are only just enough, and to ask that each time takes hundreds of runs."""
    draw = random.Random(seed)

    def run(schedule: Schedule, purpose: Purpose) -> Outcome:
        short = sum(each.length for each in schedule) < 8
        return PASSED if short and draw.random() < 0.6 else both(schedule, purpose)

    finding = examined(run, scheduled([Injection(2, A, 2), Injection(2, B, 2), Injection(3, C, 2)]))
    if finding.standing is Standing.FACT:
        assert choices_of(finding.schedule) == {A, B}
        assert finding.runs <= 60


@pytest.mark.parametrize("seed", range(8))
def test_what_fails_now_and_then_is_a_fact_of_as_few_faults(seed: int) -> None:
    draw = random.Random(seed)
    finding = examined(lambda *about: both(*about) if draw.random() < 0.7 else PASSED)
    if finding.standing is Standing.FACT:
        assert {A, B} <= choices_of(finding.schedule)
        assert 0 < finding.failed <= finding.of
    assert RULES["both away"](finding.schedule)


@pytest.mark.parametrize(
    ("failed", "of", "expected"), [(4, 4, 1), (3, 4, 3), (2, 4, 5), (1, 4, 8), (0, 4, 8), (0, 0, 1)]
)
def test_the_rarer_a_failure_the_more_tries_it_takes_to_believe_that_it_is_gone(
    failed: int, of: int, expected: int
) -> None:
    assert tries_needed(failed, of) == expected
