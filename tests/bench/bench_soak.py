"""A night's request log: what it weighs on disk, and what bringing it together and measuring it costs.

python -m tests.bench.bench_soak [ROWS] [WRITES]
python -m tests.bench.bench_soak run 2h [10000/min] [DIRECTORY]    really (see `soak_run`)
python -m tests.bench.bench_soak kills [KILLS] [SEED]    of who writes and who settles a spool, at any instant

The rows of a night at 10,000 a minute go through the recorder of a load worker, five flushes a second of the
night, with outages, scattered errors, and a key for each of so many WRITES in a hundred; what is read of them
is settled beside that, as in a run. Then the parts of a run's end, each in a process of its own, because a
process's peak memory only ever grows:

    conduct    what a conductor does: brings the spools together, stores, measures, judges, is told by a target
               that it holds every acknowledged write, keeps and checks that, reports
    measure    `seatrial measure` of what was stored, with its report

Seconds are of the processor, for the machine may be shared; memory is the most that the process ever held.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from seatrial.load.offer import Offer, Share
from seatrial.load.recorder import NEVER, Recorder
from seatrial.load.settling import Settling
from seatrial.load.spool import SpoolHeader, SpoolReader
from seatrial.lookups.recorder import RunFacts
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.model.requestlog import RequestLog
from seatrial.waiting import wait_until

RATE = Rate(10_000, 60.0)
DEADLINE_S, SETTLE_S = 2.0, 1.0
_FLUSH_S, _WARMUP_S = 0.2, 60.0
_BETWEEN_OUTAGES_S, _OUTAGE_S = 1800.0, 6.0
_ERRORS = 1e-4
_NAMES = ("GET /catalogue", "GET /catalogue/[id]", "GET /orders/[id]", "POST /orders")
_PART = 100_000
_PATIENCE_S = 60.0


def write(directory: Path, rows: int, writes: int) -> dict[str, Any]:
    """The spool of one worker, rows by the instants at which their requests ended; what settling took."""
    offer = Offer((RateStep(0.0, RATE),), "even", 1, _WARMUP_S, rows / RATE.per_second - _WARMUP_S)
    header = SpoolHeader("0", 1, 0.0, 0.0, offer, Share(), DEADLINE_S, "night.py", "http://127.0.0.1:1")
    folder = directory / "spool"
    recorder, reader = Recorder(folder / "worker-0.spool", header), SpoolReader(folder / "worker-0.spool")
    settling, most = Settling(folder, directory / "locust.log"), 0.0
    random, flushed_s = np.random.default_rng(1), -_WARMUP_S
    for first in range(0, rows, _PART):
        for row in _drawn(random, first, min(rows, first + _PART)):
            key = f"{uuid.UUID(int=random.integers(2**62).item() << 64)}" if _is_write(row, writes) else None
            by, error = ("blue east", "") if row[3] else ("", _error(row))
            due, sent, ended, ok, status, name = row
            recorder.add(due, sent, ended, ok, status, name, by, error, key)
            if row[0] > flushed_s + _FLUSH_S:
                flushed_s = row[0]
                recorder.flush([(row[0] + 1e-3, row[0] + 1e-3, _NAMES[0])])
        for _ in reader.parts(_PART):
            pass
        settling.look([reader])
        wait_until(lambda: not settling.busy, _PATIENCE_S, 0.01)  # rows come much faster than in a run
        if reader.rows > rows / 10:
            most = max(most, _taken(folder) / reader.rows)
    recorder.close(arrivals=rows)
    settling.end()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "settle_s": round(used.ru_utime + used.ru_stime, 1),
        "settle_mib": used.ru_maxrss // 1024,
        "most_bytes_a_row": round(most, 1),
        "bytes_a_row": round(_taken(folder) / rows, 1),
    }


def _taken(folder: Path) -> int:
    """Bytes of the disk."""
    return sum(path.stat().st_blocks for path in folder.iterdir()) * 512


def _drawn(random: np.random.Generator, first: int, stop: int) -> list[Any]:
    intended = np.arange(first, stop) / RATE.per_second - _WARMUP_S
    sent = intended + random.exponential(2e-4, len(intended))
    ended = sent + random.lognormal(-6.0, 0.8, len(intended))
    out = (intended > 0) & (intended % _BETWEEN_OUTAGES_S < _OUTAGE_S)
    silent = out & (intended % _BETWEEN_OUTAGES_S < _OUTAGE_S / 3)
    ok = ~out & (random.random(len(intended)) >= _ERRORS)
    ended[silent] = NEVER
    status = np.where(ok, 200, np.where(out, 0, 503))
    name = random.choice(len(_NAMES), len(intended), p=[0.5, 0.2, 0.1, 0.2])
    order = np.argsort(np.where(silent, intended + DEADLINE_S, ended), kind="stable")
    columns = (intended, sent, ended, ok, status)
    known = zip(*(column[order].tolist() for column in columns), strict=True)
    return [(*row, _NAMES[code]) for row, code in zip(known, name[order].tolist(), strict=True)]


def _is_write(row: Any, writes: int) -> bool:
    return bool(math.floor(row[0] * RATE.per_second + 0.5) % 100 < writes)


def _error(row: Any) -> str:
    return "HTTP 503" if row[4] else "timeout" if math.isnan(row[2]) else "connection refused"


def conduct(directory: Path) -> dict[str, Any]:
    """As a conductor does at the end of a run."""
    from seatrial.load.launch import LoadPlan, LoadProcess  # what it loads counts
    from seatrial.measure import measure
    from seatrial.measure.errorbudget import budget_spent
    from seatrial.measure.proof import Latencies, share_bad
    from seatrial.report.logreport import log_report

    plan = LoadPlan(
        Path("night.py"), "", (RateStep(0.0, RATE),), _WARMUP_S, 0.0, "even", 1, DEADLINE_S, directory
    )
    (directory / "locust.log").touch()
    took, laps = _stopwatch()
    with subprocess.Popen(["true"]) as over:
        load = LoadProcess(plan, over)
        log, _ = load.collect()
    laps("merge")
    load.keep(log)
    laps("store")
    measured = measure(log, DEADLINE_S, SETTLE_S, 0.0)
    laps("measure")
    part = log.between(0.0, measured.end_s)
    latencies = Latencies.of(part, DEADLINE_S)
    judged = [latencies.percentile(percent) for percent in (50, 95, 99)]
    del latencies  # an objective's own: gone before the next is judged
    judged += [share_bad(part, DEADLINE_S), budget_spent(log, measured)]  # type: ignore[list-item]
    del part
    laps("judge")
    told = check_writes(directory, log)
    laps("writes")
    text = log_report("night", "seatrial", log, measured, (), zero_at="", doubt="")
    laps("report")
    told |= {"rows": len(log), "outages": len(measured.outages), "report_bytes": len(text)}
    return took | told


def check_writes(directory: Path, log: RequestLog) -> dict[str, Any]:
    """The check acknowledged-writes, of a target that lost nothing and answers without taking any time."""
    from seatrial.checks.acknowledged_writes import AcknowledgedWrites
    from seatrial.checks.protocol import History, Need, When
    from seatrial.lookups.spooled_copies import SpooledCopies
    from seatrial.lookups.writes import Writes
    from seatrial.model.role import Role
    from seatrial.run.evidence import Evidence
    from seatrial.run.losses import Losses
    from seatrial.run.needs import BoundNeed
    from seatrial.run.recording import ask, keep

    class Faithful(Writes):
        def record(self, role: Role, run: RunFacts) -> SpooledCopies:  # of nobody
            return SpooledCopies(((key.partition(" ")[0], None) for key in run.keys), run.directory.parent)

    need = BoundNeed(Need("writes", "writes"), Faithful(), Role("writes", "sql", {}, (), "."))
    evidence, losses = Evidence(directory), Losses(directory)
    answers = ask([need], When.AFTER, evidence, log)
    keep([need], answers, evidence, losses)
    found = AcknowledgedWrites().judge(History(log, (), DEADLINE_S, math.inf, answers))
    return {"acknowledged": found.figures["acknowledged"], "lost": found.figures["lost"]}


def measure_stored(directory: Path) -> dict[str, Any]:
    """As `seatrial measure` does."""
    from seatrial.measure import measure
    from seatrial.measure.importers import read
    from seatrial.report.logreport import log_report

    took, laps = _stopwatch()
    log = read(directory / "requests.parquet").log
    laps("read")
    measured = measure(log, DEADLINE_S, SETTLE_S)
    laps("measure")
    log_report("night", "seatrial", log, measured, (), zero_at="", doubt="")
    laps("report")
    return took | {"rows": len(log), "outages": len(measured.outages)}


def _stopwatch() -> tuple[dict[str, Any], Callable[[str], None]]:
    """What each part took, in seconds of the processor, and the most memory until its end, in MiB."""
    took: dict[str, Any] = {}
    last = [time.process_time()]

    def lap(name: str) -> None:
        now_s = time.process_time()
        took[f"{name}_s"] = round(now_s - last[0], 1)
        took[f"{name}_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        last[0] = now_s

    return took, lap


def _in_a_process(stage: str, directory: Path, *more: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.bench_soak", stage, str(directory), *map(str, more)]
    started_s = time.monotonic()
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {**json.loads(printed), "wall_s": round(time.monotonic() - started_s, 1)}


def _tell(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)  # noqa: T201  # a bench prints


def main(rows: int, writes: int) -> None:
    """Print it."""
    with tempfile.TemporaryDirectory(prefix="seatrial-soak-") as name:
        directory = Path(name)
        _tell({"stage": "write", **_in_a_process("write", directory, rows, writes)})
        _tell({"stage": "conduct", **_in_a_process("conduct", directory)})
        size = (directory / "requests.parquet").stat().st_size
        _tell({"stage": "disk", "file": "requests.parquet", "bytes_a_row": round(size / rows, 1)})
        _tell({"stage": "measure", **_in_a_process("measure", directory)})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["kills", *numbers]:
            from tests.support.settling_kills import campaign

            _tell(asdict(campaign(*map(int, (*numbers, *("500", "1")[len(numbers) :])))))
        case ["run", duration, *more]:
            from tests.bench.soak_run import soak

            with tempfile.TemporaryDirectory(prefix="seatrial-soak-") as made:
                soak(
                    duration, more[0] if more else "10000/min", Path(more[1] if more[1:] else made).absolute()
                )
        case ["write", place, rows_, writes_]:
            _tell(write(Path(place), int(rows_), int(writes_)))
        case ["conduct", place]:
            _tell(conduct(Path(place)))
        case ["measure", place]:
            _tell(measure_stored(Path(place)))
        case given:
            main(*map(int, (*given, *("1000000", "20")[len(given) :])))
