"""What one pinned core holds, and what a request costs there: `python -m tests.bench.bench_hot_path [ROUNDS]`.

    core 0: HAProxy, which answers by itself      core 1: the load, or a bare socket's loop, in turns

Each row is a generator at a rate: requests a second that were sent, arrivals that were dropped, lateness p99
of what was sent, and processor time (user and system, of the whole process) for each request. The bare loop
waits, sends and reads on one socket: what it costs is the kernel's and Python's, and the last column is how
many times as much a generator takes. It stands in the same round, so that a busy machine meets both; it asks
nothing while it waits for an answer, and so falls behind where one exchange at a time does not suffice.

The medians of rounds are shown. Nothing is asserted about time: the machine may be busy, and says how busy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.parquet as pq
from tests.bench.bench_latency import BARE, page_server
from tests.bench.bench_user_classes import CLASSES, METER

SERVERS, LOADS = {0}, {1}  # cores
ROUNDS, ROUND_S = 3, 5.0
RATES_PER_S = (167, 2_000, 6_000, 12_000)
HIGHEST_PER_S = (20_000, 18_000, 16_000, 14_000)  # the first that is held is the highest
LATE_MS = 5.0
GENERATORS = ("OpenLoopUser", "HttpUser", "FastHttpUser")

_COUNTED_BARE = f"{BARE}\nprint(time.process_time() * 1e6 / len(took), file=sys.stderr)\n"


@dataclass(frozen=True, slots=True)
class Round:
    """One generator at one rate. Lateness is NaN where nothing was sent, or where nobody measured it."""

    sent_per_s: float
    dropped: int
    late_p99_ms: float
    cpu_us: float

    @property
    def is_held(self) -> bool:
        """Nothing dropped, and nothing late."""
        return self.dropped == 0 and self.late_p99_ms <= LATE_MS


def bare(port: int, rate_per_s: int) -> Round:
    """A blocking socket that is told when to send."""
    command = [sys.executable, "-c", _COUNTED_BARE, str(port), str(rate_per_s), str(ROUND_S)]
    done = _pinned(command)
    took_ms = np.array(json.loads(done.stdout))
    behind_s = max(float(took_ms[-1]) / 1e3, 0.0)
    sent_per_s = len(took_ms) / (ROUND_S + behind_s)
    return Round(sent_per_s, 0, float("nan"), float(done.stderr))


def driven(port: int, scenario: Path, rate_per_s: int) -> Round:
    """A user class of ours or of Locust's."""
    log = scenario.with_suffix(".parquet")
    done = _pinned(
        [
            *(sys.executable, "-m", "seatrial.load", "-f", str(scenario)),
            *("--host", f"http://127.0.0.1:{port}", "--headless", "--only-summary"),
            *("--exit-code-on-error", "0", "--rate", f"{rate_per_s}/s", "--warmup", "1s"),
            *("--duration", f"{ROUND_S}s", "--request-log", str(log)),
        ]
    )
    table = pq.read_table(log, columns=["intended", "sent"])
    intended, sent = (table.column(name).to_numpy() for name in ("intended", "sent"))
    (used_s,) = [float(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("CPU ")]
    cpu_us = used_s / max(int(np.count_nonzero(~np.isnan(sent))), 1) * 1e6
    late_ms = (sent - intended)[intended >= 0] * 1e3
    went_out = late_ms[~np.isnan(late_ms)]
    p99_ms = float(np.percentile(went_out, 99)) if went_out.size else float("nan")
    return Round(went_out.size / ROUND_S, int(late_ms.size - went_out.size), p99_ms, cpu_us)


def _pinned(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, LOADS),  # no threads are about
    )


def compare(port: int, folder: Path, rounds: int) -> None:
    """Every generator at every rate, each round after the bare loop at that rate."""
    _say("    rate/s  generator        sent/s   dropped   late p99     CPU a request   times bare")
    for rate_per_s in RATES_PER_S:
        found: dict[str, list[Round]] = defaultdict(list)
        for _ in range(rounds):
            found["bare socket"].append(bare(port, rate_per_s))
            for name in GENERATORS:
                found[name].append(driven(port, folder / f"{name}.py", rate_per_s))
        for line in _rows(rate_per_s, found):
            _say(line)


def _rows(rate_per_s: int, found: dict[str, list[Round]]) -> Iterator[str]:
    base_us = median(each.cpu_us for each in found["bare socket"])
    for name, rounds in found.items():
        sent, late = (
            median(getattr(each, part) for each in rounds) for part in ("sent_per_s", "late_p99_ms")
        )
        dropped, cpu_us = sum(each.dropped for each in rounds), median(each.cpu_us for each in rounds)
        shown = "–" if np.isnan(late) else f"{late:.2f} ms"
        yield (
            f"{rate_per_s:>10,}  {name:<14}{sent:>9,.0f}{dropped:>10,}{shown:>11}"
            f"{cpu_us:>15.0f} µs{cpu_us / base_us:>13.2f}"
        )


def highest(port: int, folder: Path) -> None:
    """The highest rate that each generator holds."""
    for name in GENERATORS:
        for rate_per_s in HIGHEST_PER_S:
            found = driven(port, folder / f"{name}.py", rate_per_s)
            told = f"{found.dropped:,} dropped, late p99 {found.late_p99_ms:.2f} ms, {found.cpu_us:.0f} µs"
            _say(f"{name} at {rate_per_s:,}/s: {'held' if found.is_held else 'not held'}: {told}")
            if found.is_held:
                break


def main() -> None:
    """All of it, against one server."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in GENERATORS:
            (folder / f"{each}.py").write_text(METER + CLASSES[each])
        os.sched_setaffinity(0, SERVERS)  # which the server inherits
        _say(f"{rounds} rounds of {ROUND_S:.0f} s, load average {os.getloadavg()[0]:.1f} before")
        with page_server(folder) as port:
            compare(port, folder, rounds)
            highest(port, folder)
        _say(f"load average {os.getloadavg()[0]:.1f} after, of which the load and its server are up to 2")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
