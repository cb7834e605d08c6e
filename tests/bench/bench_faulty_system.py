"""The machine fails under whole runs: at least 200 full disks, 500 failing calls, 100 deaths.

make bench            (or: python -m tests.bench.bench_faulty_system [full] [calls] [deaths] [seed])
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.support.faulty_system import Result, Trial, calls, deaths, full, lacking, run_campaign


def report(directory: Path, disks: int = 200, refusals: int = 500, dead: int = 100, seed: int = 1) -> bool:
    """Run it, print the figures and whatever is wrong; whether nothing is."""
    kinds = {"full": full(disks, seed), "call": calls(refusals, seed), "death": deaths(dead, seed)}
    trials: list[Trial] = []
    for kind, some in kinds.items():
        if reason := lacking(kind):
            print(f"{len(some)} trials of kind {kind} are not run: {reason}")  # noqa: T201  # its output
        else:
            trials += some
    random.Random(seed).shuffle(trials)  # so that any part of a long campaign has something of all
    results: list[Result] = []
    for number, result in enumerate(run_campaign(directory, trials)):
        results.append(result)
        if number % 100 == 99:
            print(json.dumps(figures(results)), flush=True)  # noqa: T201
        if result.wrong:
            print(f"{number:04d} {result.trial}: {'; '.join(result.wrong)}", flush=True)  # noqa: T201
    print(json.dumps(figures(results), indent=2))  # noqa: T201
    return not any(result.wrong for result in results)


def figures(results: list[Result]) -> dict[str, object]:
    """What the campaign has shown."""
    codes = Counter(str(result.seen.get("code")) for result in results)
    return {
        "runs": dict(Counter(result.trial.kind for result in results)),
        "exit_codes": dict(codes),
        "calls_refused": sum(result.seen.get("injected", 0) for result in results),
        "runs_with_a_refused_call": sum(result.seen.get("injected", 0) > 0 for result in results),
        "recovered": sum(result.seen.get("recover_code") is not None for result in results),
        "wrong": sum(bool(result.wrong) for result in results),
    }


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="faulty-"))
    well = report(place, *map(int, sys.argv[1:5]))
    if well:
        place.rmdir()
    else:
        print(f"what was seen is in {place}")  # noqa: T201
    sys.exit(0 if well else 1)
