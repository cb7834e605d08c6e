"""How much more two workers can do than one, where the processor is the limit.

python -m tests.bench.bench_workers_scale [WIDTH] [REPEATS]

Each arrival computes for about a millisecond and asks nobody, so no server takes a core: what is measured is
what sharing costs, the master and its account of every row included. A rate holds when at most 0.1 % of its
arrivals are not sent and 99 % of them begin within 5 ms of their instants. The highest that holds is searched
as `seatrial capacity` does it, for one worker and for two in turn, and told as an interval that is at most
WIDTH of its lower end wide. It needs two cores that nobody else uses, and ends with 1 unless 1.7 times is
shown.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from seatrial.capacity.search import Known, Outcome, Settings, Stop, Tried, known, next_rate
from seatrial.load.launch import LoadPlan, launch
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.workers import Workers

SCENARIO = """
import hashlib
from locust import task
from seatrial.load import ProtocolUser

class Computing(ProtocolUser):
    @task
    def compute(self):
        with self.measure("compute"):
            hashlib.pbkdf2_hmac("sha256", b"a ship", b"at sea", 2500)
"""
WANTED = 1.7
_FROM_PER_S = 300.0
_WARMUP_S, _LASTS_S, _DEADLINE_S = 2.0, 8.0, 1.0
_MOST_UNSENT, _LATE_P99_S = 0.001, 0.005


def trial(count: int, rate_per_s: float, directory: Path) -> Outcome:
    """Whether so many workers hold a rate."""
    scenario = directory / "computing.py"
    scenario.write_text(SCENARIO)
    load = launch(
        LoadPlan(
            scenario=scenario,
            host="",
            shape=(RateStep(0.0, Rate(rate_per_s, 1.0)),),
            warmup_s=_WARMUP_S,
            duration_s=_LASTS_S,
            spacing="even",
            seed=0,
            deadline_s=_DEADLINE_S,
            directory=directory / "run",
            workers=Workers(local=count),
        )
    )
    log, spoiled = load.collect()
    if spoiled or load.audit is None:
        raise SystemExit(f"{count} workers at {rate_per_s:g}/s: {spoiled or load.failure_reason()}")
    late_s = (log.sent - log.intended)[log.intended >= 0]
    sent = late_s[~np.isnan(late_s)]
    held = len(sent) >= (1 - _MOST_UNSENT) * len(late_s) and np.percentile(sent, 99) <= _LATE_P99_S
    return Outcome.HELD if held else Outcome.BROKEN


def searched(settings: Settings, counts: tuple[int, ...] = (1, 2)) -> dict[int, Known]:
    """The highest rate of each count of workers; their trials take turns."""
    trials: dict[int, list[Tried]] = {count: [] for count in counts}
    pending = set(counts)
    while pending:
        for count in sorted(pending):
            rate_per_s = next_rate(trials[count], settings)
            if isinstance(rate_per_s, Stop):
                pending.remove(count)
                continue
            with tempfile.TemporaryDirectory() as place:
                outcome = trial(count, rate_per_s, Path(place))
            trials[count].append(Tried(rate_per_s, outcome))
            say(f"{count} worker{'s' * (count > 1)}: {rate_per_s:,.0f}/s {outcome}")
    return {count: known(tried, settings) for count, tried in trials.items()}


def say(line: str) -> None:
    """Tell it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(width: float, repeats: int) -> int:
    """Search, and print the interval of the ratio."""
    cores = len(os.sched_getaffinity(0))
    found = searched(Settings(_FROM_PER_S, width=width, repeats=repeats))
    for count, each in found.items():
        lower, upper = each.lower_per_s or 0.0, each.upper_per_s or math.inf
        say(
            f"{count} worker{'s' * (count > 1)}, {cores} cores: [{lower:,.0f}, {upper:,.0f}] arrivals a second"
        )
    one, two = found[1], found[2]
    least = (two.lower_per_s or 0.0) / (one.upper_per_s or math.inf)
    most = (two.upper_per_s or math.inf) / (one.lower_per_s or 1.0)
    say(f"two do [{least:.2f}, {most:.2f}] times what one does; wanted: {WANTED}")
    return int(least < WANTED)  # between the two is not shown


if __name__ == "__main__":
    given = [*map(float, sys.argv[1:]), *(0.04, 3.0)[len(sys.argv) - 1 :]]
    sys.exit(main(given[0], int(given[1])))
