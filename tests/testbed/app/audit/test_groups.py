"""Whatever groups batches fall into, the chain is one that the ledger's own code follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger.canonical import canonical
from seatrial.ledger.entry import GENESIS, Chain
from seatrial.testbed.app.audit.groups import Batch, Stored, plan


def batch(name: str, *numbers: int) -> Batch:
    return Batch.of(name, [canonical({"n": number}) for number in numbers])


BATCHES = st.builds(
    lambda name, numbers: batch(f"acme/{name}", *numbers),
    st.integers(0, 6),
    st.lists(st.integers(0, 9), min_size=1, max_size=4),
)


@given(st.lists(st.lists(BATCHES, min_size=1, max_size=6), max_size=6))
def test_any_grouping_gives_one_chain_that_holds_every_id_once(groups: list[list[Batch]]) -> None:
    size, head = 0, GENESIS
    stored: dict[str, Stored] = {}
    accepted: dict[str, Batch] = {}
    lines: list[bytes] = []
    for group in groups:
        known = {each.id: stored[each.id] for each in group if each.id in stored}
        planned = plan(size, head, known, group)
        for each, outcome in zip(group, planned.outcomes, strict=True):
            first = accepted.setdefault(each.id, each)
            assert outcome.created == (first is each)
            assert (outcome.stored is None) == (first.digest != each.digest)
        stored.update(planned.batches)
        lines += [line + b"\n" for _, _, line in planned.entries]
        assert [seq for seq, _, _ in planned.entries] == list(range(size, planned.size))
        size, head = planned.size, planned.head
    chain = Chain()
    assert len(chain.follow(lines)) == len(lines) == size
    assert chain.head == head
    assert size == sum(len(each.events) for each in accepted.values())


def test_a_bad_batch_does_not_fail_its_neighbours() -> None:
    before, conflicting, after = batch("a", 1, 2), batch("a", 3), batch("b", 4)
    planned = plan(7, b"f" * 64, {}, [before, conflicting, before, after])
    first = Stored(7, 8, before.digest)
    assert [outcome.stored for outcome in planned.outcomes] == [
        first,
        None,
        first,
        Stored(9, 9, after.digest),
    ]
    assert [outcome.created for outcome in planned.outcomes] == [True, False, False, True]
