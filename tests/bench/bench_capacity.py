"""How often the interval of `seatrial capacity` holds the truth: python -m tests.bench.bench_capacity [RUNS] [SEED]

The service is a token bucket of 1,500/s, 20 tokens deep, so what it carries is known. Each search begins
elsewhere, drawn by the seed, so that the rates it tries stand differently to the limit. A deep bucket carries
more for a while: over the 6 s of a trial 20 tokens are 3.3/s, which is how far a limit that is measured may
lie above 1,500/s; the truth counts as held only if 1,500/s itself is in the interval.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.small_run import SCENARIO
from tests.support.token_bucket import serving

LIMIT_PER_S, BURST = 1500.0, 20.0
OBJECTIVE = "p95 < 900ms and errors < 0.05%"


def search(directory: Path, url: str, first_per_s: float, *more: str) -> dict[str, Any]:
    """`capacity.json` of one search; the service is at `url`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "home.py").write_text(SCENARIO)
    (directory / "target.yaml").write_text(f"target: bucket\nbase_url: {url}\nallow: [127.0.0.1]\n")
    (directory / "x.yaml").write_text(
        "experiment: bucket\nload: {scenario: home.py, rate: 100/s}\nwarmup: 2s\nduration: 4s\n"
    )
    command = [sys.executable, "-m", "seatrial", "capacity", "x.yaml", "--target", "target.yaml", "--json"]
    options = ["--objective", OBJECTIVE, "--from", f"{first_per_s:g}/s", "--cool-down", "200ms", *more]
    done = subprocess.run(command + options, cwd=directory, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(runs: int = 20, seed: int = 13) -> None:
    """So many searches, a line each."""
    draw = random.Random(seed)
    held = 0
    for number in range(1, runs + 1):
        first = round(draw.uniform(400, 1300))
        with tempfile.TemporaryDirectory() as directory, serving(LIMIT_PER_S, BURST) as url:
            began_s = time.monotonic()
            found = search(Path(directory), url, first)
        lower, upper = found["lower_per_s"], found["upper_per_s"]
        holds = lower is not None and upper is not None and lower <= LIMIT_PER_S <= upper
        held += holds
        print(  # noqa: T201  # its output
            f"{number:>2}  from {first}/s  [{lower}, {upper}]/s  {'holds' if holds else 'MISSES'} it  {found['stop']}"
            f"  {len(found['trials'])} trials, {time.monotonic() - began_s:.0f} s  {found['answer']}",
            flush=True,
        )
    print(f"{held} of {runs} intervals hold {LIMIT_PER_S:g}/s")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
