"""Explorations of simulated services: what is there is found and shrunk, and what is not there is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explore.conftest import RULES, SPACE, Simulated
from tests.support import planted_rules
from tests.support.planted_rules import Rules

from seatrial.explore.record import Outcome, Purpose, Standing, record_of
from seatrial.explore.schedule import Schedule
from seatrial.explore.search import End
from seatrial.model.verdict import Verdict

MOST_RUNS = {"both-away": 40, "long-pause": 25, "after-return": 60, "leak": 20, "retry-storm": 80}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(5))
def test_a_weakness_is_found_and_shrunk_to_what_it_needs(rule: str, seed: int) -> None:
    service = Simulated(RULES[rule], runs_left=400)
    exploration = service.exploration(seed=seed)
    assert exploration.explore() is End.FOUND
    (finding,) = exploration.found
    assert finding.standing is Standing.FACT
    assert finding.complete
    assert (finding.failed, finding.of) == (4, 4)
    assert RULES[rule](finding.schedule)
    assert len(finding.schedule) == (3 if rule == "three" else min(len(finding.schedule), 2))


@pytest.mark.parametrize(("weakness", "runs"), MOST_RUNS.items())
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_planted_in_real_services_is_found_in_few_runs(weakness: str, runs: int, seed: int) -> None:
    """`python -m tests.bench.bench_explore simulated` has this of a hundred seeds."""
    rule = Rules(random.Random(seed)).of(weakness)
    service = Simulated(rule, runs_left=runs, seed=seed, space=planted_rules.SPACE, unknown=0.03)
    exploration = service.exploration(seed=seed)
    assert exploration.explore() is End.FOUND
    *_, finding = exploration.found
    assert len(finding.schedule) == (1 if weakness in ("long-pause", "leak") else 2)


def test_two_faults_are_told_to_be_harmless_alone() -> None:
    service = Simulated(RULES["both away"])
    exploration = service.exploration()
    exploration.explore()
    (finding,) = exploration.found
    assert dict(finding.without) == {
        "process.kill on alpha": "kept what this breaks, 1 of 1 times",
        "process.pause on beta": "kept what this breaks, 1 of 1 times",
    }


def test_a_service_without_a_weakness_is_explored_until_the_time_is_over() -> None:
    service = Simulated(lambda _: False, runs_left=60, unknown=0.2)
    exploration = service.exploration()
    assert exploration.explore() is End.TIME
    assert not exploration.found
    assert not exploration.standing
    assert exploration.interim is None


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_what_fails_now_and_then_is_a_fact_with_its_share_or_a_flake(seed: int) -> None:
    service = Simulated(RULES["kill delta"], probability=0.4, seed=seed, runs_left=40)
    exploration = service.exploration()
    exploration.explore()
    for finding in exploration.found:
        if finding.standing is Standing.FACT:
            assert 0 < finding.failed <= finding.of == 4
            assert RULES["kill delta"](finding.schedule)
        else:
            assert (finding.standing, finding.failed, finding.of) == (Standing.FLAKE, 0, 4)


def test_a_failure_that_never_comes_again_is_a_flake_and_no_weakness() -> None:
    failures = iter([True])

    def once(schedule: Schedule) -> bool:
        return len(schedule) > 1 and next(failures, False)

    service = Simulated(once, runs_left=30)
    exploration = service.exploration()
    exploration.explore()
    assert [each.standing for each in exploration.found] == [Standing.FLAKE]
    assert not exploration.standing


def test_runs_that_prove_nothing_are_no_findings() -> None:
    service = Simulated(RULES["kill delta"], unknown=1.0, runs_left=9)
    exploration = service.exploration()
    assert exploration.explore() is End.CONTROL_UNKNOWN
    assert len(service.ran) == 2


def test_repetitions_that_prove_nothing_leave_a_failure_undecided() -> None:
    class Doubtful(Simulated):
        def run(self, schedule: Schedule, purpose: Purpose) -> Outcome:
            outcome = super().run(schedule, purpose)
            return Outcome(Verdict.UNKNOWN) if purpose is Purpose.REPEAT else outcome

    service = Doubtful(RULES["kill delta"], runs_left=60)
    exploration = service.exploration()
    exploration.explore()
    assert exploration.found
    assert {each.standing for each in exploration.found} == {Standing.UNDECIDED}
    assert not exploration.standing


def test_what_fails_without_any_fault_is_not_explored() -> None:
    exploration = Simulated(lambda _: True).exploration()
    assert exploration.explore() is End.CONTROL_FAILED
    assert not exploration.found


def test_what_is_left_behind_ends_it() -> None:
    class Leaving(Simulated):
        def run(self, schedule: Schedule, purpose: Purpose) -> Outcome:
            super().run(schedule, purpose)
            if not schedule:
                return Outcome(Verdict.PASS)
            return Outcome(Verdict.FAIL, left_behind=("process.kill on alpha",))

    service = Leaving(RULES["kill delta"])
    assert service.exploration().explore() is End.LEFT_BEHIND
    assert len(service.ran) == 2


@pytest.mark.parametrize("rule", ["kill delta", "both away"])
@given(killed_at=st.integers(1, 28), torn=st.booleans())
@settings(max_examples=5)
def test_whoever_continues_chooses_and_finds_what_would_have_been(
    rule: str, killed_at: int, torn: bool
) -> None:
    """Killed at any run: the lines that are there lead to the same schedules and findings."""
    whole = Simulated(RULES[rule], runs_left=30).exploration(first=False)
    whole.explore()
    part = Simulated(RULES[rule], runs_left=killed_at)
    part.exploration(first=False).explore()
    lines = [*part.lines, '{"kind":"tri'] if torn else part.lines
    rest = Simulated(RULES[rule], runs_left=40).exploration(record_of(lines, SPACE.slot_s), first=False)
    rest.explore()
    searched = [each.schedule for each in rest.record.trials if each.purpose is Purpose.SEARCH]
    expected = [each.schedule for each in whole.trials if each.purpose is Purpose.SEARCH]
    assert searched[: len(expected)] == expected
    found = [each.schedule for each in rest.record.findings]
    assert found[: len(whole.found)] == [each.schedule for each in whole.found]


def test_time_that_is_up_leaves_what_is_known_and_counts_as_a_weakness() -> None:
    service = Simulated(RULES["both away"], runs_left=500)
    exploration = service.exploration()
    exploration.explore()
    first = next(number for number, each in enumerate(service.ran) if RULES["both away"](each))
    cut = Simulated(RULES["both away"], runs_left=first + 3)  # the failure, and two of its repetitions
    exploration = cut.exploration()
    assert exploration.explore() is End.TIME
    assert exploration.interim is not None
    assert (exploration.interim.standing, exploration.interim.failed) == (Standing.FACT, 2)
    assert not exploration.interim.complete
    assert exploration.standing == [exploration.interim]


def test_a_weakness_that_is_known_is_looked_at_again_and_mended_when_it_is_gone() -> None:
    service = Simulated(RULES["kill delta"])
    service.exploration().explore()
    record = record_of(service.lines, SPACE.slot_s)
    again = Simulated(RULES["kill delta"], runs_left=8)
    exploration = again.exploration(record)
    exploration.explore()
    assert len(exploration.standing) == 1
    healed = Simulated(lambda _: False, runs_left=8)
    exploration = healed.exploration(record_of(service.lines, SPACE.slot_s))
    exploration.explore()
    assert [each.standing for each in exploration.found] == [Standing.MENDED]
    assert not exploration.standing


def test_without_the_time_to_look_again_it_stands() -> None:
    service = Simulated(RULES["kill delta"])
    service.exploration().explore()
    exploration = Simulated(lambda _: False, runs_left=1).exploration(record_of(service.lines, SPACE.slot_s))
    assert exploration.explore() is End.TIME
    assert exploration.unseen == exploration.standing != []
