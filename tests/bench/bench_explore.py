"""Planted weaknesses: are they found, what is left of them, and how many runs does that take?

    python -m tests.bench.bench_explore [SEEDS] [BUDGET] [WEAKNESS …]        5 seeds, 10m each, all of them
    python -m tests.bench.bench_explore simulated [SEEDS]                    the same as rules, 100 seeds: seconds
    python -m tests.bench.bench_explore testbed [BUDGET]                     the testbed, 60m

Each weakness is a service of its own (`tests.support.planted`), explored from nothing, with each seed, until
the first weakness is found and shrunk. Right is what names the roles that the weakness is made of.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.explore.conftest import Simulated
from tests.support.planted import WEAKNESSES, planted
from tests.support.planted_rules import SPACE, Rules

MADE_OF = {
    "both-away": {"alpha", "beta"},
    "long-pause": {"gamma"},
    "after-return": {"alpha", "beta"},
    "leak": {"delta"},
    "retry-storm": {"gamma", "traffic.spike"},
}
_MOST_RUNS = 300  # of a simulated exploration

_HEAD = f"{'weakness':<14} {'seed':>4} {'found':>5} {'right':>5} {'faults':>6} {'runs':>5} {'unknown':>7} {'time':>6}"


def explored(weakness: str, seed: int, budget: str) -> dict[str, Any]:
    """The account of one exploration."""
    with tempfile.TemporaryDirectory(prefix="planted-") as place, planted(Path(place), weakness) as service:
        wanted = ["--seed", str(seed), "--budget", budget, "--first", "--without", "process.slow"]
        done = subprocess.run(
            [*service.command, *wanted],
            cwd=place,
            env=service.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            sys.exit(f"no account: {done.stderr}")


def is_right(weakness: str, schedule: list[dict[str, Any]]) -> bool:
    """Whether what is left is made of the weakness, all of it and nothing else."""
    return named(each["fault"] for each in schedule) == MADE_OF[weakness]


def named(choices: Iterable[str]) -> set[str]:
    """The roles, or the fault where it is on none."""
    return {each.split(" ")[0 if each.startswith("traffic") else 2] for each in choices}


def campaign(seeds: int, budget: str, weaknesses: list[str]) -> bool:
    """Print one line an exploration; whether all were found, right, and of two faults at most."""
    print(_HEAD)  # noqa: T201
    well = True
    for seed in range(1, seeds + 1):
        for weakness in weaknesses:
            account = explored(weakness, seed, budget)
            found = account["weaknesses"]
            left = found[0]["schedule"] if found else []
            right = bool(found) and is_right(weakness, left)
            well &= right and len(left) <= 2
            runs = account["runs"]
            told = "; ".join(f"{each['fault']} at {each['at_s']:g}s for {each['for_s']:g}s" for each in left)
            print(  # noqa: T201
                f"{weakness:<14} {seed:>4} {'yes' if found else 'no':>5} {'yes' if right else 'no':>5} {len(left):>6}"
                f" {runs['total']:>5} {runs['unknown']:>7} {account['took_s']:>5.0f}s  {told}",
                flush=True,
            )
    return well


def simulated(seeds: int) -> bool:
    """Print how many runs the search takes for each weakness; whether all were found, right and small."""
    print(f"{'weakness':<14} {'right':>9} {'faults':>6} {'runs: half':>10} {'nine of ten':>11} {'most':>5}")  # noqa: T201
    well = True
    for weakness in WEAKNESSES:
        runs, right, faults = [], 0, 0
        for seed in range(1, seeds + 1):
            rule = Rules(random.Random(seed)).of(weakness)
            service = Simulated(rule, unknown=0.03, runs_left=_MOST_RUNS, seed=seed, space=SPACE)
            exploration = service.exploration(seed=seed)
            exploration.explore()
            left = exploration.found[-1].schedule if exploration.found else ()
            right += named(each.choice for each in left) == MADE_OF[weakness]
            faults = max(faults, len(left))
            runs.append(len(service.ran))
        well &= right == seeds and faults <= 2
        half, most = statistics.median(runs), max(runs)
        nine = sorted(runs)[len(runs) * 9 // 10]
        told = f"{weakness:<14} {f'{right}/{seeds}':>9} {faults:>6} {half:>10g} {nine:>11} {most:>5}"
        print(told, flush=True)  # noqa: T201
    return well


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["simulated"]:
        return 0 if simulated(int(arguments[1]) if len(arguments) > 1 else 100) else 1
    if arguments[:1] == ["testbed"]:
        budget = arguments[1] if len(arguments) > 1 else "60m"
        return subprocess.run(
            [sys.executable, "-m", "seatrial", "explore", "--budget", budget], check=False
        ).returncode
    seeds = int(arguments[0]) if arguments else 5
    budget = arguments[1] if len(arguments) > 1 else "10m"
    return 0 if campaign(seeds, budget, arguments[2:] or list(WEAKNESSES)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
