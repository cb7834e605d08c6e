"""A soak that is really run: `python -m tests.bench.bench_soak run 2h [10000/min] [DIRECTORY]`.

A page that HAProxy serves, two outages of three seconds in the first half, a key for every fifth request, and
a sampler that looks at the processes of the run from outside: conductor, generator, guardian, and whoever
settles. Of the second half of the load it tells the slope of each one's memory: the median of the slopes
between any two looks (Theil and Sen), with its 95 % interval. A slope whose interval holds 0 is not told from
none. Memory still settles in the first quarter of an hour, so what is shorter proves little.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
from scipy.stats import theilslopes
from tests.bench.bench_latency import page_server

from seatrial.model.quantities import Duration, Rate

SCENARIO = """\
import uuid
from locust import task
from seatrial.load import OpenLoopUser

class Visitor(OpenLoopUser):
    @task(4)
    def page(self):
        self.client.get("/", name="GET /")

    @task(1)
    def order(self):
        self.client.post("/", name="POST /orders", key=str(uuid.uuid4()))
"""
TARGET = """\
target: pages
base_url: http://127.0.0.1:{port}
roles:
  edge: {{driver: process, pidfile: {pidfile}}}
"""
EXPERIMENT = """\
experiment: soak
load: {{scenario: pages.py, rate: {rate}}}
warmup: 5s
duration: {duration}
timeline:
  - {{at: {first:.0f}s, fault: process.pause, on: edge, for: 3s, name: early}}
  - {{at: {second:.0f}s, fault: process.pause, on: edge, for: 3s, name: late}}
objectives:
  downtime: {{max: 10s, after: late}}
  latency: {{p95: 100ms}}
  errors: {{max: 5%}}
guards:
  - {{errors: 90%, for: 30s}}
"""
PARTS = {  # what stands in their command lines, the longest first
    "seatrial.load.settling": "settling",
    "seatrial.undo.guardian": "guardian",
    "seatrial.load": "generator",
}
_LOOKS = 1200  # in all, at the most
_OFTEN_S = 0.5
_TELLS = 10


@dataclass
class Course:
    """What was seen of one process: when (seconds after the load's zero), MiB, and processor time."""

    at_s: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def told(self, half_s: float, end_s: float) -> dict[str, Any]:
        """Its figures, the slope that of the looks from `half_s` to `end_s`."""
        at_s, mib = np.array(self.at_s), np.array(self.mib)
        late = (at_s >= half_s) & (at_s < end_s)
        figures: dict[str, Any] = {
            "looks": len(mib),
            "mib_at_half": round(float(mib[late][0]), 1) if late.any() else None,
            "mib_at_end": round(float(mib[late][-1]), 1) if late.any() else None,
            "mib_most": round(float(mib.max()), 1),
            "cpu_s": round(self.cpu_s, 1),
        }
        if np.count_nonzero(late) >= _TELLS:
            slope, _, low, high = theilslopes(mib[late], at_s[late] / 3600, 0.95)
            figures["mib_an_hour"] = {
                "slope": round(slope, 3),
                "lower": round(low, 3),
                "upper": round(high, 3),
            }
        return figures


class Looks:
    """Looks at a run from outside. `directory`: where its evidence comes to be."""

    def __init__(self, conductor: psutil.Process, directory: Path, rate_per_s: float) -> None:
        self._conductor = conductor
        self._directory = directory
        self._rate_per_s = rate_per_s
        self.courses: dict[str, Course] = defaultdict(Course)
        self.bytes_a_row: list[tuple[float, float]] = []  # at so many seconds after zero
        self.zero_s: float | None = None
        self.over_s: float | None = None  # when the generator was gone

    def look(self) -> None:
        """Once."""
        if self.zero_s is None:
            self.zero_s = next(
                (each["zero_mono_s"] for each in self._events() if each["event"] == "load.zero"), None
            )
        now_s = time.monotonic() - (self.zero_s if self.zero_s is not None else time.monotonic())
        seen = dict(self._processes())
        for name, process in seen.items():
            try:
                course = self.courses[name]
                course.cpu_s = max(course.cpu_s, sum(process.cpu_times()[:2]))
                mib = process.memory_info().rss / 2**20
            except psutil.Error:
                continue
            course.at_s.append(now_s)
            course.mib.append(mib)
        if now_s > 0 and "generator" in seen:
            rows = self._rate_per_s * (now_s + 5.0)
            self.bytes_a_row.append((now_s, taken(self._directory / "spool") / rows))
        elif now_s > 0 and self.over_s is None:
            self.over_s = now_s

    def _events(self) -> Iterator[dict[str, Any]]:
        for journal in self._directory.glob("journal.jsonl"):
            yield from (json.loads(line) for line in journal.read_text().splitlines(True) if line[-1] == "\n")

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        try:
            yield "conductor", self._conductor
            for child in self._conductor.children(recursive=True):
                given = child.cmdline()
                if child.status() != psutil.STATUS_ZOMBIE and (part := next(filter(PARTS.get, given), None)):
                    yield PARTS[part], child
        except psutil.Error:
            return


def taken(folder: Path) -> int:
    """Bytes of the disk that all files below take."""
    return 512 * sum(path.lstat().st_blocks for path in folder.rglob("*") if path.exists())


def soak(duration: str, rate: str, directory: Path) -> None:
    """Run it and print what was seen."""
    duration_s, rate_per_s = Duration.parse(duration).seconds, Rate.parse(rate).per_second
    directory.mkdir(parents=True, exist_ok=True)
    out = directory / "run"
    with page_server(directory) as port:
        (edge,) = (each for each in psutil.Process().children() if each.name().startswith("haproxy"))
        (directory / "edge.pid").write_text(f"{edge.pid}\n")
        (directory / "pages.py").write_text(SCENARIO)
        (directory / "target.yaml").write_text(TARGET.format(port=port, pidfile=directory / "edge.pid"))
        first_s, second_s = duration_s * 0.1, duration_s * 0.4
        told = EXPERIMENT.format(rate=rate, duration=duration, first=first_s, second=second_s)
        (directory / "soak.yaml").write_text(told)
        command = [sys.executable, "-m", "seatrial", "run", "soak.yaml", "--target", "target.yaml", "--out", str(out),
                   "--json"]  # fmt: skip
        environment = os.environ | {"SEATRIAL_HOME": str(directory / "home")}
        with (directory / "said.txt").open("wb") as said:
            process = subprocess.Popen(command, cwd=directory, env=environment, stdout=said, stderr=said)
        looks, used, exit_code = _watched(process, out, duration_s, rate_per_s)
    _tell_of(looks, duration_s)
    _tell(
        {
            "conductor": {
                "mib_most": used.ru_maxrss // 1024,
                "cpu_s": round(used.ru_utime + used.ru_stime, 1),
            },
            "exit_code": exit_code,
        }
    )
    _tell(_judged(out, looks))
    _tell({"measure": _measured(out)})


def _watched(
    process: subprocess.Popen[bytes], out: Path, duration_s: float, rate_per_s: float
) -> tuple[Looks, Any, int]:
    looks, told = Looks(psutil.Process(process.pid), out, rate_per_s), 1
    pause_s = max(duration_s / _LOOKS, _OFTEN_S)
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return looks, used, process.returncode
        looks.look()
        passed_s = looks.courses["conductor"].at_s[-1] if looks.courses["conductor"].at_s else 0.0
        if passed_s > duration_s * told / _TELLS:
            told += 1
            _tell(
                {"passed_s": round(passed_s), **{name: each.mib[-1] for name, each in looks.courses.items()}}
            )
        time.sleep(pause_s if passed_s < duration_s - pause_s else _OFTEN_S)


def _tell_of(looks: Looks, duration_s: float) -> None:
    for name, course in looks.courses.items():
        _tell({"process": name, **course.told(duration_s / 2, duration_s)})
    late = [each for at_s, each in looks.bytes_a_row if at_s > duration_s / 2]
    if late:
        _tell(
            {
                "evidence_bytes_a_row": {
                    "most_in_second_half": round(max(late), 1),
                    "at_end": round(late[-1], 1),
                }
            }
        )


def _judged(out: Path, looks: Looks) -> dict[str, Any]:
    verdict = json.loads((out / "verdict.json").read_text())
    requests = pq.read_metadata(out / "requests.parquet").num_rows
    conductor = looks.courses["conductor"]
    return {
        "verdict": verdict["verdict"],
        "reasons": verdict["reasons"],
        "generator": verdict["generator"],
        "requests": requests,
        "from_load_to_end_s": round(conductor.at_s[-1] - (looks.over_s or conductor.at_s[-1]), 1),
        "evidence_bytes_a_row": round(taken(out) / requests, 1),
    }


def _measured(out: Path) -> dict[str, Any]:
    """What `seatrial measure` of the run's log takes."""
    command = [sys.executable, "-m", "seatrial", "measure", str(out / "requests.parquet"), "--json"]
    started_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall_s": round(time.monotonic() - started_s, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "mib_most": used.ru_maxrss // 1024,
        "exit_code": process.returncode,
    }


def _tell(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)  # noqa: T201  # a bench prints
