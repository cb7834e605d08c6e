"""All that a replica holds: apply an operation to it, merge it with another, compare it by bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from seatrial.testbed.replica import counter, orset, register
from seatrial.testbed.replica.causality import joined
from seatrial.testbed.replica.counter import Counter
from seatrial.testbed.replica.operation import Kind, Operation
from seatrial.testbed.replica.orset import ObservedRemoveSet
from seatrial.testbed.replica.register import Register

Item = tuple[str, str]  # tenant, name
Value = TypeVar("Value")
Json = Mapping[str, "Json"] | list["Json"] | str | int


@dataclass(slots=True)
class ReplicaState:
    """Replicated data and the version vector of the operations in it.

    `apply` changes it in place, for a replica applies thousands a second; all values in it are frozen.
    """

    vector: dict[str, int] = field(default_factory=dict)
    settings: dict[Item, Register] = field(default_factory=dict)
    counters: dict[Item, Counter] = field(default_factory=dict)
    sets: dict[Item, ObservedRemoveSet] = field(default_factory=dict)

    def apply(self, operation: Operation) -> None:
        """Take in an operation whose predecessors (its region's earlier ones, its context) are in already."""
        item, origin = operation.item, operation.dot.origin
        match operation.kind, operation.value:
            case Kind.PUT, str(text):
                written = Register(text, operation.stamp, origin, operation.key)
                held = self.settings.get(item)
                self.settings[item] = register.merge(held, written) if held else written
            case Kind.COUNT, int(amount):
                self.counters[item] = self.counters.get(item, Counter()).adding(origin, amount)
            case Kind.ADD, str(member):
                members = self.sets.get(item, ObservedRemoveSet())
                self.sets[item] = members.adding(member, operation.dot, operation.context)
            case Kind.REMOVE, str(member):
                members = self.sets.get(item, ObservedRemoveSet())
                self.sets[item] = members.removing(member, operation.context)
            case kind, value:
                raise ValueError(f"{kind} of {type(value).__name__}: no such operation")
        self.vector[origin] = operation.dot.number

    def canonical(self) -> bytes:
        """Bytes that are equal exactly if the states are: compact JSON, sorted keys, ASCII.

        {"counters": {tenant: {name: {"minus": {origin: amount}, "plus": {origin: amount}}}},
         "sets":     {tenant: {name: {member: [[origin, number], ...]}}},
         "settings": {tenant: {name: {"key", "origin", "stamp", "value"}}},
         "vector":   {origin: number}}
        """
        plain: Json = {
            "vector": self.vector,
            "settings": _by_tenant(self.settings, _plain_register),
            "counters": _by_tenant(self.counters, _plain_counter),
            "sets": _by_tenant(
                {item: held for item, held in self.sets.items() if held.additions}, _plain_set
            ),
        }
        return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def merge(one: ReplicaState, other: ReplicaState) -> ReplicaState:
    """All that either holds. Neither is changed."""
    empty = ObservedRemoveSet()
    return ReplicaState(
        joined(one.vector, other.vector),
        _merged(one.settings, other.settings, register.merge),
        _merged(one.counters, other.counters, counter.merge),
        {
            item: orset.merge(
                one.sets.get(item, empty), one.vector, other.sets.get(item, empty), other.vector
            )
            for item in one.sets.keys() | other.sets.keys()
        },
    )


def digest(canonical: bytes) -> str:
    """What two states are compared by at a glance: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(canonical).hexdigest()


def _merged(
    one: Mapping[Item, Value], other: Mapping[Item, Value], merge_values: Callable[[Value, Value], Value]
) -> dict[Item, Value]:
    merged = {**one, **other}
    for item in one.keys() & other.keys():
        merged[item] = merge_values(one[item], other[item])
    return merged


def _by_tenant(held: Mapping[Item, Value], plain: Callable[[Value], Json]) -> Json:
    tenants: dict[str, dict[str, Json]] = {}
    for (tenant, name), value in held.items():
        tenants.setdefault(tenant, {})[name] = plain(value)
    return tenants


def _plain_register(held: Register) -> Json:
    return {
        "value": held.value,
        "stamp": [held.stamp.time_us, held.stamp.count],
        "origin": held.origin,
        "key": held.key,
    }


def _plain_counter(held: Counter) -> Json:
    return {"plus": held.plus, "minus": held.minus}


def _plain_set(held: ObservedRemoveSet) -> Json:
    return {member: _plain_dots(dots) for member, dots in held.additions.items()}


def _plain_dots(dots: Iterable[tuple[str, int]]) -> Json:
    return [[origin, number] for origin, number in sorted(dots)]
