"""How often the course of an experiment is called worse or better, of histories whose truth is known.

    python -m tests.bench.bench_trend [HISTORIES]

Each history has 6, 12 or 24 monthly runs. Each run's true value is a level with noise of 10 % of it (normal,
logarithmic, heavy-tailed or skewed); what is measured is an interval that holds it, as wide as is said. Without
a change, whatever is called worse or better is a false alarm; with one, what is not called so is a miss.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from seatrial.report.change import Change
from seatrial.report.course import FALSE_ALARMS, Point, courses

LEVEL, NOISE = 100.0, 10.0
HISTORIES = 1_000
RESAMPLES = 1_999
START = datetime(2024, 1, 1, tzinfo=UTC)

Draw = Callable[[np.random.Generator, int], "np.ndarray[Any, np.dtype[np.float64]]"]
NOISES: dict[str, Draw] = {
    "normal": lambda rng, size: rng.normal(0, 1, size),
    "lognormal": lambda rng, size: (np.exp(rng.normal(0, 0.5, size)) - np.exp(0.125)) / 0.604,
    "heavy-tailed (t, 3)": lambda rng, size: rng.standard_t(3, size) / np.sqrt(3),
    "skewed (exponential)": lambda rng, size: rng.exponential(1, size) - 1,
}


@dataclass(frozen=True, slots=True)
class World:
    """Where histories come from. `width` and `drift` in units of the noise; `drift` from first to last run."""

    noise: str
    runs: int
    width: float = 0.5
    drift: float = 0.0
    jump: float = 0.0  # of the newest run alone

    def history(self, rng: np.random.Generator) -> list[Point]:
        """One of them."""
        true = LEVEL + NOISE * NOISES[self.noise](rng, self.runs)
        true = true + NOISE * self.drift * np.linspace(0, 1, self.runs)
        true[-1] += NOISE * self.jump
        below = rng.uniform(0, 1, self.runs) * self.width * NOISE
        return [
            Point(str(n), START + timedelta(days=30 * n), value - down, value - down + self.width * NOISE)
            for n, (value, down) in enumerate(zip(true.tolist(), below.tolist(), strict=True))
        ]

    def called(self, histories: int, seed: int = 1, resamples: int = RESAMPLES) -> dict[Change, float]:
        """How often each was said, as a share."""
        rng = np.random.default_rng(seed)
        said = [
            courses({"latency p95": ("ms", self.history(rng))}, resamples=resamples)[0].change
            for _ in range(histories)
        ]
        return {each: said.count(each) / histories for each in (Change.WORSE, Change.BETTER, Change.ALIKE)}


def worlds() -> Iterator[World]:
    """Those that are reported."""
    for noise in NOISES:
        for runs in (6, 12, 24):
            yield World(noise, runs)
    yield World("normal", 12, width=0.0)
    yield World("normal", 12, width=4.0)
    for drift in (1.0, 2.0, 4.0, 8.0):
        for runs in (12, 24):
            yield World("normal", runs, drift=drift)
    yield World("normal", 24, width=16.0, drift=4.0)
    for jump in (4.0, 8.0, 16.0):
        for runs in (6, 12):
            yield World("normal", runs, jump=jump)


def main(histories: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    say(f"{histories} histories a line; stated rate of false alarms: {FALSE_ALARMS:.0%}\n")
    say(f"{'noise':<22}{'runs':>5}{'width':>7}{'drift':>7}{'jump':>6}   worse  better  can't tell\n")
    for world in worlds():
        shares = "".join(f"{share:>8.1%}" for share in world.called(histories).values())
        say(
            f"{world.noise:<22}{world.runs:>5}{world.width:>7.1f}{world.drift:>7.1f}{world.jump:>6.0f}{shares}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else HISTORIES)
