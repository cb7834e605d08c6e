"""What is chosen next: legal, new, and the same for the same seed and the same record."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.explore.conftest import SPACE

from seatrial.explore.choosing import choose
from seatrial.explore.coverage import Coverage
from seatrial.explore.record import Finding, Outcome, Purpose, Record, Standing, Trial
from seatrial.explore.schedule import LENGTHS, Injection, Schedule, holds, pairs_of
from seatrial.explore.search import Exploration
from seatrial.explore.space import Space
from seatrial.model.verdict import Verdict


def chosen(seed: int, count: int, space: Space = SPACE) -> list[Schedule]:
    return Exploration.foreseen(space, Record(), seed, count)


@given(st.integers())
@settings(max_examples=20)
def test_what_is_chosen_is_legal_and_the_same_for_the_same_seed(seed: int) -> None:
    some = chosen(seed, 5)
    assert all(SPACE.legal(each) and each for each in some)
    assert some == chosen(seed, 5)


def test_another_seed_chooses_otherwise() -> None:
    assert len({tuple(chosen(seed, 3)) for seed in range(5)}) == 5


def test_pairs_that_were_not_tried_together_come_first() -> None:
    """Of 28 pairs, three at a time at best: a search by chance alone leaves far more of them untried."""
    tried = Coverage.of(Trial(each, Purpose.SEARCH, Outcome(Verdict.PASS)) for each in chosen(1, 30))
    pairs, of = tried.share(SPACE)["pairs"]
    assert (pairs, of) == (28, 28)
    assert max(Counter(tried.faults).values()) <= 2 * min(tried.faults.values())


def test_long_faults_that_meet_are_soon_tried_and_yet_nothing_is_left_out_for_ever() -> None:
    """Of each pair how long it overlapped at most; and some that only chance would choose."""
    some = chosen(1, 40)
    longest = Counter[frozenset[str]]()
    for schedule in some:
        for first, second in pairs_of(schedule):
            overlap = min(first.end, second.end) - second.at
            pair = frozenset({first.choice, second.choice})
            longest[pair] = max(longest[pair], overlap)
    apart = [overlap for pair, overlap in longest.items() if len({key.split(" ")[2] for key in pair}) == 2]
    assert len(apart) == 24
    assert sum(overlap >= 4 for overlap in apart) >= 20
    assert {len(schedule) for schedule in some} == {1, 2, 3}
    assert {each.length for schedule in some for each in schedule} == set(LENGTHS)


def known(weakness: Schedule) -> Record:
    record = Record()
    record.add(Finding(Standing.FACT, weakness, weakness, frozenset(), 4, 4))
    return record


def test_a_weakness_that_is_known_is_not_chosen_again() -> None:
    weakness = (Injection(0, "process.kill on delta", 1),)
    record = known(weakness)
    for _ in range(30):
        schedule = choose(SPACE, record, Coverage.of(record.trials), 1)
        assert schedule is not None
        assert not holds(schedule, weakness)
        record.add(Trial(schedule, Purpose.SEARCH, Outcome(Verdict.PASS)))


def test_when_everything_is_known_to_fail_nothing_is_left() -> None:
    (choice, *_) = SPACE.choices
    alone = Space((choice,), 1.0)
    record = known((Injection(0, choice.key, 1),))
    assert choose(alone, record, Coverage(), 1) is None
    assert choose(Space((), 1.0), Record(), Coverage(), 1) is None
