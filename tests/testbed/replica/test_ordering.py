"""What may come next, and what has to wait."""

from __future__ import annotations

import pytest

from seatrial.testbed.replica.causality import Dot, dominates, joined
from seatrial.testbed.replica.hlc import DriftError, Stamp
from seatrial.testbed.replica.operation import Intent, Kind, Operation
from seatrial.testbed.replica.ordering import Frontier, admissible

NOW_US = 1_000_000
BOUND_US = 1_000


def operation(number: int, *, time_us: int = NOW_US, context: dict[str, int] | None = None) -> Operation:
    seen = {"west": number - 1} | (context or {})
    return Operation(
        Dot("west", number), Stamp(time_us, number), time_us, seen, Kind.PUT, "t", "n", "v", f"k{number}"
    )


def test_a_batch_is_taken_in_order_and_what_is_there_is_passed_over() -> None:
    here = Frontier({"west": 1})
    admission = admissible(here, [operation(1), operation(2), operation(3)], NOW_US, BOUND_US)
    assert [each.dot.number for each in admission.operations] == [2, 3]
    assert not admission.held


@pytest.mark.parametrize(
    ("batch", "taken", "says"),
    [
        ([operation(1), operation(3)], 1, "3 where 2 was due"),
        ([operation(1), operation(2, context={"north": 4})], 1, "builds on others"),
        ([operation(1), operation(2, time_us=NOW_US + BOUND_US + 1)], 1, "ahead of this clock"),
    ],
)
def test_the_rest_is_held_with_a_reason(batch: list[Operation], taken: int, says: str) -> None:
    admission = admissible(Frontier({}), batch, NOW_US, BOUND_US)
    assert len(admission.operations) == taken
    assert says in admission.held


def test_an_operation_is_issued_after_all_that_was_seen_here_and_read_elsewhere() -> None:
    here = Frontier({"east": 4, "west": 2}, Stamp(NOW_US + 5, 1))
    issued = here.issue("east", Intent(Kind.PUT, "t", "n", "v", "k", Stamp(NOW_US + 9, 3)), NOW_US, BOUND_US)
    assert (issued.dot, issued.stamp) == (Dot("east", 5), Stamp(NOW_US + 9, 4))
    assert issued.context == {"east": 4, "west": 2}
    after = here.after(issued)
    assert after.vector == {"east": 5, "west": 2}
    assert after.clock == issued.stamp


def test_a_token_from_too_far_ahead_is_refused() -> None:
    with pytest.raises(DriftError):
        Frontier({}).issue(
            "east", Intent(Kind.PUT, "t", "n", "v", "k", Stamp(NOW_US * 2, 0)), NOW_US, BOUND_US
        )


def test_vectors() -> None:
    assert joined({"east": 1, "west": 5}, {"east": 3}) == {"east": 3, "west": 5}
    assert dominates({"east": 3}, {"east": 3})
    assert not dominates({"east": 3}, {"west": 1})
