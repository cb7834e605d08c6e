"""Which outages are planted when: decided beforehand from a seed, so that a calibration can be repeated.

Lengths are log-uniform between the shortest and the longest, because an error of 5 ms matters to a short
outage and not to a long one; they are stratified (one in each of n equal parts of the range), so that a
short calibration covers it as well. Between two outages the service is well for longer than the settle
time, else they would be one episode, and by a random length, so that outages meet the arrivals at every
phase.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Kind = Literal["refuse", "blackhole", "stall", "5xx", "partial", "flapping"]
KINDS: tuple[Kind, ...] = get_args(Kind)

PARTIAL_SHARE = 0.25  # of requests that a partial outage fails
CONTROL_S = 5.0  # without a fault, before the first outage


@dataclass(frozen=True, slots=True)
class PlantedOutage:
    """One outage to be planted; `at_s` counts from the start of the measured part.

    A flapping one is down in each of `phases_s`, pairs of instants after its start.
    """

    kind: Kind
    at_s: float
    length_s: float
    seed: int
    phases_s: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """All outages in order of time, and how long the load lasts."""

    outages: tuple[PlantedOutage, ...]
    duration_s: float
    margin_s: float  # an outage is alone in the log for so long before and after it


def plan(
    outages: int, seed: int, *, settle_s: float, interval_s: float, shortest_s: float, longest_s: float
) -> CalibrationPlan:
    """Plan `outages` of all kinds in random order; `interval_s` is the load's arrival interval."""
    random = Random(seed)
    kinds = [KINDS[i % len(KINDS)] for i in range(outages)]
    lengths = list(_stratified(random, kinds, shortest_s, longest_s))
    order = list(range(outages))
    random.shuffle(order)
    planted, at_s = [], CONTROL_S
    for i in order:
        phases = tuple(_phases(random, lengths[i], settle_s, interval_s)) if kinds[i] == "flapping" else ()
        planted.append(PlantedOutage(kinds[i], at_s, lengths[i], random.randrange(2**32), phases))
        at_s += lengths[i] + settle_s * random.uniform(1.25, 1.75)
    return CalibrationPlan(tuple(planted), at_s, settle_s / 2)


def _stratified(random: Random, kinds: list[Kind], shortest_s: float, longest_s: float) -> Iterator[float]:
    """A length for each outage, spread evenly over the logarithmic range within every kind."""
    strata = {kind: list(range(kinds.count(kind))) for kind in KINDS}
    for left in strata.values():
        random.shuffle(left)
    for kind in kinds:
        level = (strata[kind].pop() + random.random()) / kinds.count(kind)
        yield shortest_s * (longest_s / shortest_s) ** level


def _phases(
    random: Random, length_s: float, settle_s: float, interval_s: float
) -> Iterator[tuple[float, float]]:
    """When a flapping outage is down: at its start and at its end, and never well for the settle time."""
    shortest = max(2 * interval_s, length_s / 10)
    longest = max(min(length_s / 4, settle_s / 4), shortest)
    at_s = 0.0
    while True:
        down, well = (random.uniform(shortest, longest) for _ in range(2))
        if at_s + down + well + shortest > length_s:
            yield at_s, length_s
            return
        yield at_s, at_s + down
        at_s += down + well
