"""At least 300 kills at every step of every fault's life: what is left, and how fast a guardian undoes.

make bench            (or: python -m tests.bench.bench_kills [random trials] [seed])
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from tests.support.kill_campaign import VICTIMS, Result, at_random, in_pairs, living, run_campaign, singly

from seatrial.drivers import nft
from seatrial.testbed.programs import find_hsm

MIXED = ("process.pause", "process.kill", "redis.evict")


def campaign(directory: Path, random_trials: int, seed: int) -> list[Result]:
    """Each kind of fault alone at every step, all pairs of steps, and random instants in a mixed life."""
    lacking = {"network.": bool(nft.lacking()), "hsm.": find_hsm() is None}
    kinds = [
        fault for fault in VICTIMS if not any(lacking[each] for each in lacking if fault.startswith(each))
    ]
    trials = [trial for kind in kinds for trial in singly(kind)]
    trials += in_pairs(("process.pause", "process.kill"))
    trials += at_random(MIXED, random_trials, seed)
    return run_campaign(directory, trials, side_by_side=2)


def figures(results: list[Result]) -> dict[str, object]:
    """What the campaign has shown."""
    undo_ms = 1000 * np.array(list(living(results)))
    p50, p99 = np.percentile(undo_ms, (50, 99))
    return {
        "trials": len(results),
        "kills": sum(result.trial.kills for result in results),
        "faults_left": sum(len(result.left_by_recover) for result in results),
        "recovered": sum(result.recovered for result in results),
        "bad_trials": sum(result.bad for result in results),
        "undone_by_a_living_guardian": len(undo_ms),
        "undo_ms": {"p50": round(p50, 1), "p99": round(p99, 1), "max": round(undo_ms.max(), 1)},
    }


def report(directory: Path, random_trials: int = 100, seed: int = 1) -> bool:
    """Print the figures; whether nothing was left."""
    results = campaign(directory, random_trials, seed)
    print(json.dumps(figures(results), indent=2))  # noqa: T201  # its output
    for result in results:
        if result.bad:
            print(result)  # noqa: T201
    return not any(result.bad for result in results)


def test_bench_kills(tmp_path: Path) -> None:
    assert report(tmp_path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.exit(0 if report(Path(place), *map(int, sys.argv[1:3])) else 1)
