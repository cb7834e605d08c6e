"""What it costs to drive Locust's own user classes instead of OpenLoopUser: lateness and processor time.

The classes take turns against the same server at the same rate, so that whatever else the machine does meets
all of them. What counts are the ratios to OpenLoopUser; nothing is asserted about time.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from tests.bench.bench_latency import page_server

from seatrial.model.requestlog import Floats

ROUNDS, ROUND_S = 3, 3.0
RATES_PER_S = (167, 2_000)

# The processor time of the load itself: what a start costs is left out.
METER = """
import sys, time
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, between, events, task
from seatrial.load import OpenLoopUser
began = []
@events.test_start.add_listener
def start(**_):
    began.append(time.process_time())
@events.test_stopping.add_listener
def stop(**_):
    print("CPU", time.process_time() - began[0], file=sys.stderr)
"""
_HOME = """
    @task
    def home(self):
        self.client.get("/")
"""
CLASSES = {
    "OpenLoopUser": f"class Visitor(OpenLoopUser):{_HOME}",
    "HttpUser": f"class Visitor(HttpUser):\n    wait_time = between(1, 2){_HOME}",
    "FastHttpUser": f"class Visitor(FastHttpUser):\n    wait_time = between(1, 2){_HOME}",
    "HttpUser, TaskSet": f"class Pages(TaskSet):{_HOME}\nclass Visitor(HttpUser):\n    tasks = [Pages]",
    "HttpUser, SequentialTaskSet": f"class Tour(SequentialTaskSet):{_HOME}\nclass Visitor(HttpUser):\n    tasks = [Tour]",
}


def driven(port: int, scenario: Path, rate_per_s: int, *options: str) -> tuple[Floats, float]:
    """Lateness of each request in milliseconds, and processor time of a request in microseconds."""
    log = scenario.with_suffix(".parquet")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "seatrial.load", "-f", str(scenario)),
            *(
                "--host",
                f"http://127.0.0.1:{port}",
                "--headless",
                "--only-summary",
                "--exit-code-on-error",
                "0",
            ),
            *("--rate", f"{rate_per_s}/s", "--warmup", "1s", "--duration", f"{ROUND_S}s"),
            *("--request-log", str(log), *options),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    table = pq.read_table(log, columns=["intended", "sent"])
    intended, sent = (table.column(name).to_numpy() for name in ("intended", "sent"))
    (used_s,) = [float(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("CPU ")]
    measured = intended >= 0
    return (sent - intended)[measured] * 1e3, used_s / len(intended) * 1e6


def test_what_locusts_own_classes_cost(tmp_path: Path) -> None:
    """Lateness p99 and processor time of a request, each beside OpenLoopUser's."""
    for name, source in CLASSES.items():
        (tmp_path / f"{_file(name)}.py").write_text(METER + source)
    with page_server(tmp_path) as port:
        for rate_per_s in RATES_PER_S:
            late: dict[str, list[Floats]] = {name: [] for name in CLASSES}
            used: dict[str, list[float]] = {name: [] for name in CLASSES}
            for _ in range(ROUNDS):
                for name in CLASSES:
                    lateness, used_us = driven(port, tmp_path / f"{_file(name)}.py", rate_per_s)
                    late[name].append(lateness)
                    used[name].append(used_us)
            _tell(rate_per_s, late, used)


def _tell(rate_per_s: int, late: dict[str, list[Floats]], used: dict[str, list[float]]) -> None:
    p99 = {
        name: float(np.median([np.percentile(each, 99) for each in rounds])) for name, rounds in late.items()
    }
    cost = {name: float(np.median(rounds)) for name, rounds in used.items()}
    first = next(iter(CLASSES))
    sys.stdout.write(f"\n{rate_per_s:,}/s, {ROUNDS} rounds of {ROUND_S:.0f} s, medians of rounds\n")
    sys.stdout.write("                               late p99     ratio   CPU a request     ratio\n")
    for name in CLASSES:
        ratios = p99[name] / p99[first], cost[name] / cost[first]
        sys.stdout.write(
            f"  {name:<28}{p99[name]:>8.3f} ms{ratios[0]:>9.2f}{cost[name]:>13.0f} µs{ratios[1]:>10.2f}\n"
        )


def _file(name: str) -> str:
    return "".join(each if each.isalnum() else "_" for each in name)
