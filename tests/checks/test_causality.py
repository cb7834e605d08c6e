"""Pasts are what replicas have seen and what clients carried; a write replaces the last that it had seen."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.checks.causality import pasts_of, replaced
from seatrial.checks.replicas import Operation


def put(origin: str, number: int, stamp: int, **context: int) -> Operation:
    key = f"{origin}-{number}"
    return Operation(origin, number, (stamp, 0), stamp, context, "setting.put", "t", "theme", key, key)


def pasts(
    *operations: Operation, carried: Mapping[str, tuple[str, ...]] | None = None
) -> dict[tuple[str, int], Mapping[str, int]]:
    by_key = {operation.key: (operation,) for operation in operations}
    return pasts_of({operation.dot: operation for operation in operations}, carried or {}, by_key)


FIRST, SECOND = put("east", 1, 10), put("west", 1, 20)
THIRD = put("east", 2, 30, east=1)


def test_what_is_seen_by_what_was_seen_is_seen() -> None:
    told = put("west", 2, 40, west=1, east=2)
    assert pasts(FIRST, SECOND, THIRD, told)["west", 2] == {"west": 1, "east": 2}
    assert pasts(FIRST, SECOND, THIRD)["east", 2] == {"east": 1}


def test_what_a_client_has_read_goes_with_it_to_the_other_region() -> None:
    found = pasts(FIRST, SECOND, THIRD, carried={THIRD.key: (SECOND.key,)})
    assert found["east", 2] == {"east": 1, "west": 1}
    assert pasts(FIRST, carried={FIRST.key: ("never arrived",)})["east", 1] == {"east": 0}


def test_a_write_replaces_the_last_of_what_it_had_seen_and_no_other() -> None:
    apart = (FIRST, SECOND, THIRD)
    assert list(replaced(apart, pasts(*apart))) == [FIRST.dot], "nobody had seen what west wrote"
    read = pasts(*apart, carried={THIRD.key: (SECOND.key,)})
    assert list(replaced(apart, read)) == [SECOND.dot]
