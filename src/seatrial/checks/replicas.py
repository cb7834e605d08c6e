"""What the replicas of a service said after a run, and what they ought to hold by it.

A recording is one JSON object:

    {"agreed_after_s": 0.4,                    null: they never agreed while they were asked
     "replicas": [{"region": "east",
                   "state": "…",               the state as the replica serves it, byte for byte
                   "digest": "…",              the replica's own SHA-256 of it
                   "history": [operation, …]}  every operation, in the order in which they came to it
                  , …]}

    operation: {"origin": "east", "number": 17,           the 17th of region east
                "stamp": [1700000000000000, 3],           hybrid logical time: microseconds, count
                "physical_us": 1700000000000000,          the region's own clock, wrong or right
                "context": {"east": 16, "west": 9},       what the region had seen before
                "kind": "setting.put", "tenant", "name",  setting.put, counter.add, set.add, set.remove
                "value": "dark", "key": "…"}

    state: {"settings": {tenant: {name: {"value", "key", "stamp", "origin"}}},
            "counters": {tenant: {name: {"plus": {origin: sum}, "minus": {origin: sum}}}},
            "sets":     {tenant: {name: {member: […]}}},
            "vector":   {origin: number}}

`held` and `expected` bring a state and a set of operations to the same form. The rules of merging stand here
a second time, in the judge's own words: a judge that used the service's code would share its mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

Kind = Literal["setting.put", "counter.add", "set.add", "set.remove"]
Family = Literal["settings", "counters", "sets"]
Item = tuple[Family, str, str]  # and tenant, name
Content = tuple[str, str] | int | frozenset[str]  # a setting's write and value; a counter's value; members

FAMILIES: Mapping[str, Family] = {
    "setting.put": "settings",
    "counter.add": "counters",
    "set.add": "sets",
    "set.remove": "sets",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as a replica tells of it."""

    origin: str
    number: int
    stamp: tuple[int, int]
    physical_us: int
    context: Mapping[str, int]
    kind: Kind
    tenant: str
    name: str
    value: str | int
    key: str

    @property
    def dot(self) -> tuple[str, int]:
        """Which one it is."""
        return self.origin, self.number

    @property
    def rank(self) -> tuple[tuple[int, int], str]:
        """What decides between two writes of a setting."""
        return self.stamp, self.origin

    @property
    def item(self) -> Item:
        """What it is done to."""
        return FAMILIES[self.kind], self.tenant, self.name

    def __str__(self) -> str:
        return f"{self.key} ({self.origin} {self.number})"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in a state."""

    value: str
    key: str
    stamp: tuple[int, int]
    origin: str


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter in a state: sums by region."""

    plus: Mapping[str, int]
    minus: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """A state. A member of a set stands with what keeps it in, which no judge needs."""

    settings: Mapping[str, Mapping[str, Setting]]
    counters: Mapping[str, Mapping[str, Counter]]
    sets: Mapping[str, Mapping[str, Mapping[str, tuple[tuple[str, int], ...]]]]
    vector: Mapping[str, int]

    @classmethod
    def parse(cls, text: str) -> ReplicaState:
        """From JSON. Raises ValueError."""
        return _read(_STATE, text, "the state")

    def held(self) -> dict[Item, Content]:
        """What a reader would see."""
        content: dict[Item, Content] = {}
        for tenant, settings in self.settings.items():
            for name, setting in settings.items():
                content["settings", tenant, name] = (setting.key, setting.value)
        for tenant, counters in self.counters.items():
            for name, counter in counters.items():
                content["counters", tenant, name] = sum(counter.plus.values()) - sum(counter.minus.values())
        for tenant, sets in self.sets.items():
            for name, members in sets.items():
                content["sets", tenant, name] = frozenset(members)
        return content


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica after the run."""

    region: str
    state: str
    digest: str
    history: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """All replicas."""

    replicas: tuple[Replica, ...]
    agreed_after_s: float | None = None

    @classmethod
    def parse(cls, data: bytes) -> Recording:
        """From JSON. Raises ValueError."""
        return _read(_RECORDING, data, "the recording")


def expected(operations: Iterable[Operation]) -> dict[Item, Content]:
    """What a reader must see once `operations` have happened, in whatever order they came.

    A setting holds the write of the greatest stamp (of equal ones, of the greater region). A counter is the
    sum of what was added. A member is in a set if some addition of it was seen by no removal of it.
    """
    by_item: dict[Item, list[Operation]] = {}
    for operation in operations:
        by_item.setdefault(operation.item, []).append(operation)
    content = {item: _outcome(item[0], done) for item, done in by_item.items()}
    return {item: outcome for item, outcome in content.items() if outcome != frozenset()}


def _outcome(family: Family, done: list[Operation]) -> Content:
    if family == "settings":
        winner = max(done, key=lambda operation: operation.rank)
        return winner.key, str(winner.value)
    if family == "counters":
        return sum(int(operation.value) for operation in done)
    # Some removal saw the addition (o, n) exactly if the greatest number of o that any of them saw is ≥ n.
    removed: dict[str, dict[str, int]] = {}
    for removal in done:
        if removal.kind == "set.remove":
            seen = removed.setdefault(str(removal.value), {})
            for origin, number in removal.context.items():
                seen[origin] = max(number, seen.get(origin, 0))
    return frozenset(
        str(addition.value)
        for addition in done
        if addition.kind == "set.add"
        and addition.number > removed.get(str(addition.value), {}).get(addition.origin, 0)
    )


_STATE = TypeAdapter(ReplicaState)
_RECORDING = TypeAdapter(Recording)
Record = TypeVar("Record")


def _read(adapter: TypeAdapter[Record], text: str | bytes, what: str) -> Record:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{what} cannot be read: {place}: {first['msg']}") from error
