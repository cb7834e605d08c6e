"""Five million rows: how long reading and measuring take, and how much memory.

Each reading is taken in a process of its own, because a process's peak memory only ever grows. Printed, not
asserted: the machine is what it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seatrial import columnar
from seatrial.measure.importers import write_csv
from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.rowkeys import Keys

ROWS = 5_000_000
PER_SECOND = 10_000

_READING = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
from seatrial.measure import measure
from seatrial.measure.importers import read
imported_s = time.perf_counter()
log = read(Path(sys.argv[1])).log
read_s = time.perf_counter()
measurement = measure(log, 2.0, 1.0)
done_s = time.perf_counter()
print(json.dumps({
    "import s": imported_s - started, "read s": read_s - imported_s, "measure s": done_s - read_s,
    "total s": done_s - started, "outages": len(measurement.outages), "bad": measurement.bad,
    "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def log_of(error_share: float) -> RequestLog:
    """Twelve request names, an outage of 1.5 s every 30 s, one second of silence, and errors at random."""
    random = np.random.default_rng(1)
    intended = np.arange(ROWS) / PER_SECOND - 5.0
    sent = intended + random.exponential(1e-4, ROWS)
    ended = sent + random.exponential(2e-3, ROWS)
    ok = random.random(ROWS) >= error_share
    ok &= ~((intended > 20) & (intended % 30 < 1.5))
    silent = (intended > 400) & (intended < 401)
    ended[silent], ok[silent] = np.nan, False

    def coded(values: tuple[str, ...]) -> Coded:
        return Coded(random.integers(0, len(values), ROWS, dtype=np.int32), values)

    return RequestLog(
        intended=intended,
        sent=sent,
        ended=ended,
        ok=ok,
        status=np.where(ok, 200, 503).astype(np.int16),
        name=coded(tuple(f"GET /{i}" for i in range(12))),
        served_by=coded(("blue", "green")),
        error=Coded(np.where(ok, 0, 1).astype(np.int32), ("", "HTTP 503")),
        worker=coded(("w1", "w2", "w3", "w4")),
        keys=Keys.of(f"order-{i:012d}" if i % 3 == 0 else None for i in range(ROWS)),
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("what", "error_share"),
    [
        ("parquet, outages alone", 0.0),
        ("parquet, 1 % errors", 0.01),
        ("parquet, half bad", 0.5),
        ("csv.zst", 0.0),
    ],
)
def test_five_million_rows(tmp_path: Path, what: str, error_share: float) -> None:
    path = tmp_path / ("log.csv.zst" if what.startswith("csv") else "log.parquet")
    log = log_of(error_share)
    if path.suffix == ".zst":
        write_csv(log, path)
    else:
        with path.open("wb") as file:
            columnar.write(columnar.table_of(log), file)
    for _ in range(2):
        output = subprocess.run(
            [sys.executable, "-c", _READING, str(path)], check=True, capture_output=True, text=True
        ).stdout
        figures = {name: round(value, 2) for name, value in json.loads(output).items()}
        print(f"\n{what}, {path.stat().st_size / 2**20:.0f} MiB on disk: {figures}")  # noqa: T201  # a bench prints
