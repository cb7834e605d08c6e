"""The weaknesses of `tests.support.planted` as rules over schedules, so that hundreds of explorations take seconds.

A rule has the jitter that was seen of real processes: what is started again takes a while to answer, what is
stopped is missed only after a while, and a fault is undone a little late.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seatrial.explore.schedule import Injection, Schedule
from seatrial.explore.space import Choice, Space

NAMES = ("alpha", "beta", "gamma", "delta")
SPIKE = Choice("traffic.spike", "", {"times": 3.0})
SPACE = Space(
    (
        *(
            Choice(fault, name, {}, frozenset({f"/{name}.pid"}))
            for fault in ("process.kill", "process.pause")
            for name in NAMES
        ),
        SPIKE,
    ),
    slot_s=0.05,
)
_MISSED_AFTER_S = (0.1, 0.12)
_STARTS_WITHIN_S = (0.08, 0.2)
_UNDONE_LATE_S = (0.01, 0.03)
_SEEN_S = 0.025  # the front looks that often


@dataclass(frozen=True, slots=True)
class Away:
    """A program that does not answer, from when to when."""

    from_s: float
    to_s: float
    silent: bool  # it takes connections

    def shared_s(self, from_s: float, to_s: float) -> float:
        """How much of it lies in a span."""
        return min(self.to_s, to_s) - max(self.from_s, from_s)


@dataclass(frozen=True, slots=True)
class Rules:
    """Whether a schedule breaks the service; `draw` is the machine's jitter."""

    draw: random.Random

    def of(self, weakness: str) -> Callable[[Schedule], bool]:
        """That of a weakness of `planted.WEAKNESSES`."""
        rule: Callable[[Schedule], bool] = getattr(self, weakness.replace("-", "_"))
        return rule

    def both_away(self, schedule: Schedule) -> bool:
        return any(
            one.shared_s(other.from_s, other.to_s) > _SEEN_S
            for one in self._away(schedule, "alpha")
            for other in self._away(schedule, "beta")
        )

    def long_pause(self, schedule: Schedule) -> bool:
        return any(each.silent and each.to_s - each.from_s > 0.2 for each in self._away(schedule, "gamma"))

    def after_return(self, schedule: Schedule) -> bool:
        alpha = list(self._away(schedule, "alpha"))
        return any(
            each.shared_s(
                back.to_s, min([back.to_s + 0.4, *(one.from_s for one in alpha if one.from_s > back.to_s)])
            )
            > _SEEN_S
            for back in alpha
            for each in self._away(schedule, "beta")
        )

    def leak(self, schedule: Schedule) -> bool:
        return any(each.choice == "process.kill on delta" for each in schedule)

    def retry_storm(self, schedule: Schedule) -> bool:
        """More than 24 requests in 240 ms, at 50/s or three times that, while gamma is silent."""
        spikes = [_span(each) for each in schedule if each.choice == SPIKE.key]
        return any(
            away.silent and away.shared_s(from_s + 0.13, to_s + 0.1) > _SEEN_S and to_s - from_s > 0.13
            for away in self._away(schedule, "gamma")
            for from_s, to_s in spikes
        )

    def _away(self, schedule: Schedule, name: str) -> Iterator[Away]:
        for each in schedule:
            from_s, to_s = _span(each)
            to_s += self.draw.uniform(*_UNDONE_LATE_S)
            if each.choice == f"process.kill on {name}":
                yield Away(from_s, to_s + self.draw.uniform(*_STARTS_WITHIN_S), silent=False)
            elif each.choice == f"process.pause on {name}":
                missed_s = from_s + self.draw.uniform(*_MISSED_AFTER_S)
                if missed_s < to_s:
                    yield Away(missed_s, to_s, silent=True)


def _span(injection: Injection) -> tuple[float, float]:
    return injection.at * SPACE.slot_s, injection.end * SPACE.slot_s
