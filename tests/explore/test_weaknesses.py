"""Findings that are one weakness are listed as one, and what is something else stays apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from tests.explore.conftest import RULES, Simulated, random_schedule

from seatrial.explore.record import Finding, Standing
from seatrial.explore.schedule import Injection, Schedule, scheduled
from seatrial.explore.weaknesses import is_one, weaknesses_of

KILL, PAUSE, OTHER = "process.kill on alpha", "process.pause on beta", "process.kill on delta"


def finding(*injections: tuple[int, str, int], broke: str = "errors", complete: bool = True) -> Finding:
    schedule = scheduled(Injection(*each) for each in injections)
    return Finding(Standing.FACT, schedule, schedule, frozenset({broke}), 4, 4, complete=complete)


def test_two_faults_in_another_order_are_one_weakness_told_by_the_plainest() -> None:
    later = finding((0, PAUSE, 4), (2, KILL, 4))
    together = finding((0, KILL, 1), (0, PAUSE, 1))
    (weakness,) = weaknesses_of([later, together])
    assert weakness.plainest == together
    assert weakness.witnesses == (together, later)


def test_other_faults_and_other_promises_are_other_weaknesses_in_the_order_of_their_finding() -> None:
    pair = finding((0, KILL, 1), (0, PAUSE, 1))
    lost = finding((0, KILL, 1), (0, PAUSE, 1), broke="acknowledged-writes")
    alone = finding((0, OTHER, 1))
    assert [each.witnesses for each in weaknesses_of([pair, lost, alone])] == [(pair,), (lost,), (alone,)]


def test_what_still_has_faults_around_a_weakness_is_a_witness_of_it() -> None:
    around = finding((0, OTHER, 2), (3, PAUSE, 1), complete=False)
    alone = finding((0, OTHER, 1))
    (weakness,) = weaknesses_of([around, alone])
    assert weakness.witnesses == (alone, around)
    longer = finding((0, OTHER, 4))  # alone it takes four slots, and with the pause only two: that is another
    assert len(weaknesses_of([replace(around, complete=True), longer])) == 2


@given(st.lists(st.randoms(use_true_random=False).map(random_schedule), max_size=8))
def test_each_finding_is_a_witness_of_one_weakness_and_no_two_of_these_are_one(
    schedules: list[Schedule],
) -> None:
    findings = [finding(*((each.at, each.choice, each.length) for each in one)) for one in schedules]
    found = weaknesses_of(findings)
    told = [each for weakness in found for each in weakness.witnesses]
    assert sorted(map(repr, told)) == sorted(map(repr, findings))
    for weakness in found:
        assert all(is_one(weakness.plainest, each) for each in weakness.witnesses)
    assert not any(is_one(one.plainest, other.plainest) for one, other in permutations(found, 2))


def test_what_time_ended_amid_shrinking_is_no_weakness_of_its_own_beside_the_one_that_is_known() -> None:
    exploration = Simulated(RULES["both away"], runs_left=46).exploration(first=False, seed=1)
    exploration.explore()
    known, interim = exploration.standing
    assert not interim.complete
    (weakness,) = weaknesses_of([interim, known])
    assert weakness.witnesses == (known, interim)
