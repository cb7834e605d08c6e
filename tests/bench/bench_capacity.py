"""How often the interval of `seatrial capacity` holds the truth.

    python -m tests.bench.bench_capacity [RUNS] [SEED] [LIMIT]

The service is a token bucket of L a second, by default 1,500, that holds B tokens, 40 ms of them: a stall of
this machine is to be no limit of the service. What it carries under a promise is then known exactly. A trial
lasts for T = 5 s, of which M = 4 s are measured, and a share e may be bad; at r arrivals a second r T − L T − B
are refused, all in the measured part, so the highest rate that holds is

    r* = (L T + B) / (T − e M)        1,518/s for 1,500 tokens a second and 0.5 %

Each search begins elsewhere, drawn by the seed, so that the rates it tries stand differently to the limit.
Counted are the intervals that hold r*, and beside them those that hold L itself, 1 % below.
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

BURST_S, WARM_UP_S, MEASURED_S, BAD = 0.04, 1.0, 4.0, 0.005
OBJECTIVE = f"p95 < 900ms and errors < {BAD:.1%}"


def carried(limit: float) -> float:
    """r* of a bucket of `limit` tokens a second."""
    whole_s = WARM_UP_S + MEASURED_S
    return limit * (whole_s + BURST_S) / (whole_s - BAD * MEASURED_S)


def search(directory: Path, url: str, first_per_s: float) -> dict[str, Any]:
    """`capacity.json` of one search; the service is at `url`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "home.py").write_text(SCENARIO)
    (directory / "target.yaml").write_text(f"target: bucket\nbase_url: {url}\nallow: [127.0.0.1]\n")
    (directory / "x.yaml").write_text(
        "experiment: bucket\nload: {scenario: home.py, rate: 100/s}\n"
        f"warmup: {WARM_UP_S:g}s\nduration: {MEASURED_S:g}s\n"
    )
    command = [sys.executable, "-m", "seatrial", "capacity", "x.yaml", "--target", "target.yaml", "--json"]
    options = [
        "--objective",
        OBJECTIVE,
        "--from",
        f"{first_per_s:g}/s",
        "--cool-down",
        "200ms",
    ]
    done = subprocess.run(command + options, cwd=directory, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    if not found:
        print(done.stderr[-2000:], flush=True)  # noqa: T201  # why there is none
    return found


def main(runs: int = 20, seed: int = 13, limit: int = 1500) -> None:
    """So many searches, a line each."""
    draw = random.Random(seed)
    truth, held, strictly = carried(limit), 0, 0
    for number in range(1, runs + 1):
        first = round(draw.uniform(0.27, 0.87) * limit)
        with tempfile.TemporaryDirectory() as directory, serving(limit, limit * BURST_S) as url:
            began_s = time.monotonic()
            found = search(Path(directory), url, first)
        lower, upper = found.get("lower_per_s"), found.get("upper_per_s")
        holds, also = (
            lower is not None and upper is not None and lower <= each <= upper for each in (truth, limit)
        )
        held, strictly = held + holds, strictly + also
        print(  # noqa: T201  # its output
            f"{number:>2}  from {first}/s  [{lower}, {upper}]/s  {'holds' if holds else 'MISSES'} {truth:.1f}/s,"
            f" {'holds' if also else 'misses'} {limit}/s  {found.get('stop')}  {len(found.get('trials', ()))} trials,"
            f" {time.monotonic() - began_s:.0f} s",
            flush=True,
        )
    print(f"{held} of {runs} intervals hold {truth:.1f}/s, {strictly} hold {limit}/s")  # noqa: T201


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
