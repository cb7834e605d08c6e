"""Planted weaknesses: are they found, what is left of them, and how many runs does that take?

    python -m tests.bench.bench_explore [SEEDS] [BUDGET] [WEAKNESS …]        5 seeds, 10m each, all of them
    python -m tests.bench.bench_explore testbed [BUDGET]                     the testbed, 60m

Each weakness is a service of its own (`tests.support.planted`), explored from nothing, with each seed, until
the first weakness is found and shrunk. Right is what names the roles that the weakness is made of.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.planted import WEAKNESSES, planted

MADE_OF = {
    "both-away": {"alpha", "beta"},
    "long-pause": {"gamma"},
    "after-return": {"alpha", "beta"},
    "leak": {"delta"},
    "retry-storm": {"gamma", "traffic.spike"},
}


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
    named = {each["fault"].split(" ")[0 if each["fault"].startswith("traffic") else 2] for each in schedule}
    return named == MADE_OF[weakness]


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


def main(arguments: list[str]) -> int:
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
