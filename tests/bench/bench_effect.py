"""How long after its planned instant a fault is in effect, over 100 injections of each kind.

make bench            (or: python -m tests.bench.bench_effect [injections])
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.support.kill_campaign import VICTIMS

from seatrial.faults import FaultSession, nft, registry

KINDS = ("process.pause", "process.kill", "network.partition")
_AHEAD_S = 0.1


def delays_ms(session: FaultSession, kind: str, place: Path, injections: int) -> list[float]:
    """Milliseconds from each planned instant until `fire` has seen the effect."""
    victim = VICTIMS[kind](place)
    fault = registry.build(victim.fault, victim.parameters)
    delays = []
    try:
        for _ in range(injections):
            prepared = session.prepare(fault, victim.role, ttl_s=60)
            planned = time.monotonic() + _AHEAD_S
            time.sleep(_AHEAD_S)
            injection = session.fire(prepared)
            delays.append(injection.after.monotonic_ns / 1e6 - planned * 1e3)
            session.undo(prepared)
    finally:
        victim.close()
    return delays


def figures(directory: Path, injections: int = 100) -> dict[str, dict[str, float]]:
    """Per kind of fault: percentiles of the delay, in milliseconds."""
    found = {}
    for kind in KINDS:
        if kind == "network.partition" and nft.lacking():
            continue
        with FaultSession(
            directory / "home", kind, experiment="effect", run="bench", faults=[kind]
        ) as session:
            delays = delays_ms(session, kind, directory / kind, injections)
        p50, p99, highest = np.percentile(delays, (50, 99, 100))
        found[kind] = {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "max_ms": round(highest, 2)}
    return found


def test_bench_effect(tmp_path: Path) -> None:
    print(json.dumps(figures(tmp_path), indent=2))  # noqa: T201  # its output


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(figures(Path(place), *map(int, sys.argv[1:2])), indent=2))  # noqa: T201
