"""Merging is commutative, associative and idempotent, and agrees with taking operations in one by one."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.regions import EPOCH_US, Region, random_write

from seatrial.testbed.replica import counter, orset, register
from seatrial.testbed.replica.causality import Dot
from seatrial.testbed.replica.counter import Counter
from seatrial.testbed.replica.hlc import Stamp
from seatrial.testbed.replica.operation import Intent, Kind, Operation
from seatrial.testbed.replica.orset import ObservedRemoveSet
from seatrial.testbed.replica.register import Register
from seatrial.testbed.replica.state import ReplicaState, digest, merge

NAMES = ("east", "north", "west")


@dataclass
class Cluster:
    """Three regions that write, and hear of each other in part."""

    regions: list[Region]

    @classmethod
    def after(cls, seed: int, steps: int) -> Cluster:
        """`steps` writes and deliveries at random."""
        chance = random.Random(seed)
        cluster = cls([Region(name, chance.randrange(-5_000_000, 5_000_001)) for name in NAMES])
        for step in range(steps):
            now_us = EPOCH_US + step * 1_000
            region = chance.choice(cluster.regions)
            if chance.random() < 0.7:
                region.carry_out(Intent(*random_write(chance), key=f"k-{step}"), now_us)
            else:
                cluster.pass_on(chance.choice(cluster.regions), region, now_us, chance)
        return cluster

    @staticmethod
    def pass_on(source: Region, sink: Region, now_us: int, chance: random.Random) -> None:
        """A prefix of all that `source` knows, in an order that respects causality."""
        batch = source.history[: chance.randrange(len(source.history) + 1)]
        sink.take_in(batch, now_us)


CLUSTERS = st.builds(Cluster.after, st.integers(0, 10**6), st.integers(0, 60))


@given(CLUSTERS)
def test_merging_states_is_commutative_associative_idempotent(cluster: Cluster) -> None:
    a, b, c = (region.state for region in cluster.regions)
    assert merge(a, b).canonical() == merge(b, a).canonical()
    assert merge(merge(a, b), c).canonical() == merge(a, merge(b, c)).canonical()
    assert merge(a, a).canonical() == a.canonical()
    assert merge(merge(a, b), b).canonical() == merge(a, b).canonical()


@given(CLUSTERS)
def test_merging_states_equals_exchanging_operations(cluster: Cluster) -> None:
    a, b, c = cluster.regions
    merged = merge(merge(a.state, b.state), c.state)
    for _ in range(2):
        for sink in cluster.regions:
            for source in cluster.regions:
                sink.take_in(source.history, EPOCH_US + 10**6)
    assert {region.state.canonical() for region in cluster.regions} == {merged.canonical()}


@given(CLUSTERS)
def test_a_stamp_is_greater_than_those_of_all_that_its_operation_builds_on(cluster: Cluster) -> None:
    every = {operation.dot: operation for region in cluster.regions for operation in region.history}
    for operation in every.values():
        for origin, number in operation.context.items():
            assert every[Dot(origin, number)].stamp < operation.stamp


@given(CLUSTERS)
def test_operations_are_read_back_from_their_json(cluster: Cluster) -> None:
    for region in cluster.regions:
        assert [Operation.from_json(each.to_json()) for each in region.history] == region.history


STAMPS = st.builds(Stamp, st.integers(0, 3), st.integers(0, 2))
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5))
COUNTERS = st.builds(Counter, COUNTS, COUNTS)


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """What a write says follows from which write it is."""
    stamp, origin = draw(STAMPS), draw(st.sampled_from(NAMES))
    return Register(f"{stamp} of {origin}", stamp, origin, f"{origin}-{stamp}")


@given(registers(), registers(), registers())
def test_registers_merge(a: Register, b: Register, c: Register) -> None:
    assert register.merge(a, b) == register.merge(b, a)
    assert register.merge(register.merge(a, b), c) == register.merge(a, register.merge(b, c))
    assert register.merge(a, a) == a


@given(COUNTERS, COUNTERS, COUNTERS)
def test_counters_merge(a: Counter, b: Counter, c: Counter) -> None:
    assert counter.merge(a, b) == counter.merge(b, a)
    assert counter.merge(counter.merge(a, b), c) == counter.merge(a, counter.merge(b, c))
    assert counter.merge(a, a) == a


@given(st.lists(st.integers(-9, 9)))
def test_a_counter_is_the_sum_of_what_was_added(amounts: list[int]) -> None:
    held = Counter()
    for index, amount in enumerate(amounts):
        held = held.adding(NAMES[index % 3], amount)
    assert held.value == sum(amounts)


def test_an_addition_concurrent_with_a_removal_stays() -> None:
    first, second = Dot("east", 1), Dot("west", 1)
    both = ObservedRemoveSet().adding("ada", first, {})
    removed = both.removing("ada", {"east": 1})
    again = both.adding("ada", second, {"east": 1})
    assert removed.additions == {}
    merged = orset.merge(removed, {"east": 2}, again, {"east": 1, "west": 1})
    assert merged.additions == {"ada": {second}}


def test_a_removal_takes_what_it_has_seen() -> None:
    held = ObservedRemoveSet().adding("ada", Dot("east", 1), {})
    merged = orset.merge(held, {"east": 1}, ObservedRemoveSet(), {"east": 2})
    assert merged.additions == {}


def test_canonical_bytes_are_sorted_ascii_and_leave_no_trace_of_what_is_gone() -> None:
    region = Region("east")
    writes: tuple[tuple[Kind, str | int], ...] = (
        (Kind.ADD, "m"),
        (Kind.REMOVE, "m"),
        (Kind.PUT, "é"),
        (Kind.COUNT, -2),
    )
    for index, (kind, value) in enumerate(writes):
        region.carry_out(Intent(kind, "acme", "n", value, f"k{index}"), EPOCH_US + index)
    content = region.state.canonical()
    assert content == (
        b'{"counters":{"acme":{"n":{"minus":{"east":2},"plus":{}}}},"sets":{},"settings":{"acme":{"n":{"key":"k2",'
        b'"origin":"east","stamp":[1800000000000002,0],"value":"\\u00e9"}}},"vector":{"east":4}}'
    )
    assert len(digest(content)) == 64


@pytest.mark.parametrize(
    "broken",
    [{"value": 1}, {"value": True, "kind": "counter.add"}, {"kind": "set.clear"}, {"stamp": [1]}, {"stamp": ["1", 0]},
     {"context": []}, {"context": {"east": "1"}}, {"number": None}, {"origin": 3}, {"key": None}],
)  # fmt: skip
def test_what_is_no_operation_is_refused(broken: dict[str, object]) -> None:
    plain = {"origin": "east", "number": 1, "stamp": [1, 0], "physical_us": 1, "context": {}, "kind": "setting.put",
             "tenant": "acme", "name": "n", "value": "v", "key": "k"}  # fmt: skip
    Operation.from_plain(plain)
    with pytest.raises(ValueError, match=r"not an operation|is not a valid Kind|unpack"):
        Operation.from_plain(plain | broken)


def test_a_state_refuses_an_operation_of_no_sense() -> None:
    operation = Operation(Dot("east", 1), Stamp(1, 0), 1, {}, Kind.COUNT, "acme", "n", "text", "k")
    with pytest.raises(ValueError, match="no such operation"):
        ReplicaState().apply(operation)
