"""Pure simulation of a service with one planted outage, as an open-model generator would log it.

Every request is worked on at one instant between being sent and being answered. If the service is down at
that instant, what follows depends on how it is down; otherwise it is answered well.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.support.oracle import Row

Behaviour = Literal["refuse", "hang", "stall", "errors"]


@dataclass(frozen=True)
class Planted:
    """An outage from `start` to `end` and the load that met it; seconds."""

    start: float
    end: float
    behaviour: Behaviour
    interval: float
    latency: float
    deadline: float
    duration: float
    abandons: bool = True  # the client gives a request up at its deadline
    poisson: bool = False
    seed: int = 0

    @property
    def truth(self) -> float:
        return self.end - self.start

    def rows(self) -> list[Row]:
        random = Random(self.seed)
        rows, due = [], random.random() * self.interval
        while due < self.duration:
            rows.append(self._answer(due, random))
            due += random.expovariate(1 / self.interval) if self.poisson else self.interval
        return rows

    def _answer(self, due: float, random: Random) -> Row:
        sent = due + random.random() * self.interval / 10
        latency = self.latency * random.uniform(0.2, 1.0)
        worked = sent + latency * random.random()
        if not self.start <= worked < self.end:
            return self._given_up(Row(due, sent, sent + latency, ok=True))
        match self.behaviour:
            case "refuse":
                return Row(due, sent, worked, ok=False, error="refused")
            case "errors":
                return self._given_up(Row(due, sent, sent + latency, ok=False, error="500"))
            case "hang":
                return Row(due, sent, None, ok=False)
            case "stall":
                late = self.end + latency * random.random()
                return self._given_up(Row(due, sent, late, ok=True))

    def _given_up(self, row: Row) -> Row:
        late = row.ended is not None and row.ended - row.intended > self.deadline
        return Row(row.intended, row.sent, None, ok=False) if late and self.abandons else row
