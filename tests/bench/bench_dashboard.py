"""How long each page takes when years are on record: 5,000 runs and 100,000 occurrences.

python -m tests.bench.bench_dashboard [runs] [occurrences]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tests.support.dashboards import listening, years
from tests.support.postgres_server import postgres

from seatrial.store import Store
from seatrial.web.app import Dashboard
from seatrial.web.serving import schedules_here
from seatrial.web.sources import Sources

GOAL_S = 0.2
_TRIES = 15


def main() -> int:
    """Exit 0 if the median of every page is within the goal on both databases."""
    runs, planned = (int(each) for each in (*sys.argv[1:3], "5000", "100000")[:2])
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ["SEATRIAL_HOME"] = str(home)
        kept = [_measure(f"sqlite:///{home}/seatrial.sqlite", home, runs, planned)]
        with postgres(home) as url:
            kept.append(_measure(url, home, runs, planned))
    return 0 if all(kept) else 1


def _measure(url: str, home: Path, runs: int, planned: int) -> bool:
    with Store(url) as store:
        years(store, runs, planned)
        newest = store.history.runs(limit=2)
        a, b = newest[1].run, newest[0].run
        dashboard = Dashboard(Sources(store, home, schedules=schedules_here(Path())))
        paths = (
            "/", "/matrix", "/runs", "/runs?verdict=fail&page=9", f"/runs?experiment={newest[0].experiment}",
            f"/runs?page={-(-runs // 50)}", f"/runs/{b}", "/experiments", f"/experiments/{newest[0].experiment}",
            f"/compare?a={a}&b={b}", f"/compare?b={b}", "/schedules", f"/schedules?page={-(-planned // 100)}",
            "/schedules?state=missed&schedule=schedule-3", "/incidents", "/underway", "/api/runs", "/api/schedules",
        )  # fmt: skip
        print(f"{store.database.name.partition(':')[0]}: {runs:,} runs, {planned:,} occurrences")  # noqa: T201
        with listening(dashboard) as base, httpx.Client(base_url=base, timeout=60) as client:
            kept = [_timed(client, path) for path in paths]
            return all(kept)


def _timed(client: httpx.Client, path: str) -> bool:
    taken = []
    for _ in range(_TRIES + 1):
        before = time.perf_counter()
        answer = client.get(path)
        taken.append(time.perf_counter() - before)
        assert answer.status_code == 200, (path, answer.status_code)
    median = statistics.median(taken[1:])  # the first also compiles templates, and judges the matrix
    shown = path.partition("?")[0][:30] + ("?…" if "?" in path else "")
    print(  # noqa: T201
        f"  {shown:<34} median {1000 * median:6.0f} ms   worst {1000 * max(taken[1:]):6.0f} ms"
        f"   first {1000 * taken[0]:6.0f} ms   {len(answer.content) / 1024:6.0f} KiB"
    )
    return median <= GOAL_S


if __name__ == "__main__":
    sys.exit(main())
