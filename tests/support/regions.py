"""Two regions in memory: the replica's pure core without disk and network, random traffic, and breakable parts.

A mutant overrides one method of `Region`. `traffic` makes sure that each run has what mutants stumble over:
concurrent writes, additions that cross removals, repetitions, reads carried from a fast clock to a slow one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from seatrial.checks.convergence import Attempt, Outcome
from seatrial.checks.replicas import Recording
from seatrial.testbed.replica.hlc import Stamp
from seatrial.testbed.replica.operation import Intent, Kind, Operation
from seatrial.testbed.replica.ordering import Frontier, admissible
from seatrial.testbed.replica.state import ReplicaState, digest

MAX_DRIFT_S = 30.0
_MAX_DRIFT_US = round(MAX_DRIFT_S * 1e6)
EPOCH_US = 1_800_000_000_000_000
TENANTS = ("acme", "globex")
Write = tuple[Kind, str, str, str | int]  # kind, tenant, name, value


@dataclass
class Region:
    """One replica. `skew_us`: how wrong its clock is."""

    name: str
    skew_us: int = 0
    state: ReplicaState = field(default_factory=ReplicaState)
    frontier: Frontier = field(default_factory=lambda: Frontier({}))
    history: list[Operation] = field(default_factory=list)

    def carry_out(self, intent: Intent, now_us: int) -> Operation:
        done = self.find(intent.key)
        if done is None:
            done = self.issue(intent, now_us)
            self.record(done)
        return done

    def find(self, key: str) -> Operation | None:
        return next((each for each in self.history if each.key == key and each.dot.origin == self.name), None)

    def issue(self, intent: Intent, now_us: int) -> Operation:
        return self.frontier.issue(self.name, intent, now_us + self.skew_us, _MAX_DRIFT_US)

    def record(self, operation: Operation) -> None:
        self.history.append(operation)
        self.frontier = self.frontier.after(operation)
        self.show(operation)

    def show(self, operation: Operation) -> None:
        self.state.apply(operation)

    def take_in(self, batch: Sequence[Operation], now_us: int) -> None:
        admission = admissible(self.frontier, batch, now_us + self.skew_us, _MAX_DRIFT_US)
        assert not admission.held, admission.held
        for operation in admission.operations:
            self.record(operation)

    def issued(self) -> list[Operation]:
        return [each for each in self.history if each.dot.origin == self.name]


@dataclass
class World:
    """The regions, the clients, and what these were told."""

    east: Region
    west: Region
    chance: random.Random
    attempts: list[Attempt] = field(default_factory=list)
    now_us: int = EPOCH_US
    keys: count[int] = field(default_factory=count)

    def write(
        self, region: Region, write: Write, outcome: Outcome = "acknowledged", read: Operation | None = None
    ) -> Operation | None:
        """A write, after what the client had `read` (anywhere); repeated now and then, as clients do."""
        kind, tenant, name, value = write
        key = f"k-{next(self.keys)}"
        after: Stamp | None = read.stamp if read else None
        intent = Intent(kind, tenant, name, value, key, after)
        self.attempts.append(
            Attempt(key, kind, tenant, name, str(value), outcome, (read.key,) if read else ())
        )
        self.now_us += self.chance.randrange(1, 2_000)
        if outcome == "refused" or (outcome == "indeterminate" and self.chance.random() < 0.5):
            return None
        operation = region.carry_out(intent, self.now_us)
        if self.chance.random() < 0.2:
            region.carry_out(intent, self.now_us + 5)
        return operation

    def exchange(self) -> None:
        """Everything is passed on, some of it twice."""
        for one, other in ((self.east, self.west), (self.west, self.east)):
            batch = one.issued()
            other.take_in(batch[: self.chance.randrange(len(batch) + 1)], self.now_us)
            other.take_in(batch, self.now_us)

    def recording(self) -> Recording:
        """As it is collected from real replicas."""
        return Recording.parse(recording_json((self.east, self.west)))


def recording_json(regions: Sequence[Region]) -> bytes:
    """The document of `seatrial.checks.replicas`."""
    replicas = ",".join(
        f'{{"region":"{region.name}","state":{_quoted(region.state.canonical())},'
        f'"digest":"{digest(region.state.canonical())}",'
        f'"history":[{",".join(operation.to_json() for operation in region.history)}]}}'
        for region in regions
    )
    return f'{{"agreed_after_s":0.0,"replicas":[{replicas}]}}'.encode()


def _quoted(content: bytes) -> str:
    escaped = content.decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def random_write(chance: random.Random) -> Write:
    """A write to one of few items, so that regions meet on them."""
    kind = chance.choice((Kind.PUT, Kind.PUT, Kind.COUNT, Kind.ADD, Kind.REMOVE))
    value: str | int = f"v{chance.randrange(1_000)}"
    if kind is Kind.COUNT:
        value = chance.randrange(-5, 10)
    elif kind is not Kind.PUT:
        value = f"m{chance.randrange(4)}"
    return kind, chance.choice(TENANTS), f"n{chance.randrange(2)}", value


def traffic(world: World, steps: int = 60) -> None:
    """Writes at random on both sides with an exchange now and then, and the conflicts that must be there."""
    chance, east, west = world.chance, world.east, world.west
    member: Write = (Kind.ADD, "acme", "team", "ada")
    world.write(east, member)
    first = world.write(east, (Kind.PUT, "acme", "theme", "early"))
    world.exchange()
    world.write(
        west, (Kind.PUT, "acme", "theme", "later"), read=first
    )  # a fast clock's write, read by a slow one
    world.exchange()
    for step in range(steps):
        region = chance.choice((east, west))
        outcome: Outcome = chance.choices(("acknowledged", "indeterminate", "refused"), (8, 1, 1))[0]
        done = world.write(region, random_write(chance), outcome)
        if done and chance.random() < 0.3:
            world.write(west if region is east else east, random_write(chance), read=done)
        if step % 17 == 16:
            world.exchange()
    world.exchange()
    # while they are apart: conflicting settings, an addition that crosses a removal, a removal that stands
    world.write(east, (Kind.PUT, "acme", "colour", "red"))
    world.write(west, (Kind.PUT, "acme", "colour", "blue"))
    world.write(east, (Kind.PUT, "globex", "colour", "green"))
    world.write(east, (Kind.REMOVE, "acme", "team", "ada"))
    world.write(west, member)
    world.write(west, (Kind.ADD, "globex", "team", "bob"))
    world.write(west, (Kind.REMOVE, "globex", "team", "bob"))
    for region in (east, west):
        for _ in range(12):
            world.write(region, (Kind.COUNT, "acme", "visits", chance.randrange(1, 9)))
    world.exchange()


def simulate(east: Region, west: Region, seed: int) -> World:
    """A whole run: clocks up to five seconds off, east's ahead of west's."""
    chance = random.Random(seed)
    east.skew_us, west.skew_us = chance.randrange(1_000_000, 5_000_001), -chance.randrange(5_000_001)
    world = World(east, west, chance)
    traffic(world)
    return world
