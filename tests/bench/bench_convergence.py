"""Two replicas cut off from each other while both go on writing, many times over; prints what became of it.

python -m tests.bench.bench_convergence [--seeds 50] [--partition 20] [--rate 40] [--side-by-side 5]

Every third trial also kills one replica (SIGKILL) in the middle of the partition. With the defaults it takes about
five minutes; trials run side by side because most of a partition is waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path

from tests.support.region_processes import Result, Trial, run_campaign

_SUMMED = (
    "acknowledged", "indeterminate", "indeterminate_there", "lost", "lost_from_crdts", "crdts_wrong",
    "counter_difference", "causality_violations", "client_dependencies", "won", "overwritten", "discarded_by_lww",
)  # fmt: skip


def main() -> int:
    """Exit 0 if every trial converged and nothing undeclared was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--partition", type=float, default=20.0, help="seconds")
    parser.add_argument("--rate", type=float, default=40.0, help="writes per second and region")
    parser.add_argument("--side-by-side", type=int, default=5)
    chosen = parser.parse_args()
    trials = [Trial(seed, chosen.partition, chosen.rate, kill=seed % 3 == 2) for seed in range(chosen.seeds)]
    with tempfile.TemporaryDirectory(
        dir=Path.cwd(), prefix=".bench-convergence-"
    ) as name:  # a disk, not a tmpfs
        results = asyncio.run(run_campaign(Path(name), trials, chosen.side_by_side))
    print(json.dumps(figures(results), indent=2))  # noqa: T201  # its output
    return 0 if all(result.converged and not result.wrong for result in results) else 1


def figures(results: list[Result]) -> dict[str, object]:
    """All trials in one object."""
    times = sorted(result.converged_after_s for result in results if result.converged)
    return {
        "trials": len(results),
        "partition_s": results[0].trial.partition_s,
        "killed_in": sum(result.trial.kill for result in results),
        "converged": f"{len(times)}/{len(results)}",
        "converged_after_s": {
            "median": round(statistics.median(times), 3),
            "max": round(times[-1], 3),
        } if times else None,
        "backlog_at_healing": {
            "median": statistics.median(result.backlog for result in results),
            "max": max(result.backlog for result in results),
        },
        "drift_max_s": round(max(result.figures["drift_max_s"] for result in results), 3),
        **{name: round(sum(result.figures[name] for result in results)) for name in _SUMMED},
        "wrong": {result.trial.seed: result.wrong for result in results if result.wrong},
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
