"""What a request costs by HTTP/2 instead of HTTP/1.1: processor time, lateness, and latency.

The two take turns against the same server at the same rate, so that whatever else the machine does meets both.
What counts are the ratios; nothing is asserted about time. HAProxy finds out by itself which of them is spoken.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tests.bench.bench_latency import page_server
from tests.bench.bench_user_classes import CLASSES, METER, RATES_PER_S, ROUND_S, ROUNDS, driven

VERSIONS = ("1.1", "2")


def test_what_http2_costs(tmp_path: Path) -> None:
    """Lateness p99 and processor time of a request, beside those of HTTP/1.1."""
    scenario = tmp_path / "visitor.py"
    scenario.write_text(METER + CLASSES["OpenLoopUser"])
    with page_server(tmp_path) as port:
        for rate_per_s in RATES_PER_S:
            late: dict[str, list[float]] = {http: [] for http in VERSIONS}
            used: dict[str, list[float]] = {http: [] for http in VERSIONS}
            for _ in range(ROUNDS):
                for http in VERSIONS:
                    lateness, used_us = driven(port, scenario, rate_per_s, "--http", http)
                    late[http].append(float(np.percentile(lateness, 99)))
                    used[http].append(used_us)
            sys.stdout.write(f"\n{rate_per_s:,}/s, {ROUNDS} rounds of {ROUND_S:.0f} s, medians of rounds\n")
            first = float(np.median(used[VERSIONS[0]]))
            for http in VERSIONS:
                p99, cost = float(np.median(late[http])), float(np.median(used[http]))
                sys.stdout.write(
                    f"  HTTP/{http:<4} late p99 {p99:>8.3f} ms   CPU a request {cost:>5.0f} µs, {cost / first:.2f} ×\n"
                )
