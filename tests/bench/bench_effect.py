"""How long after its planned instant a fault is in effect, over 100 injections of each kind.

make bench            (or: python -m tests.bench.bench_effect [injections])

Meanwhile 10,000 requests a minute are driven against a server on this machine, as in a real run.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tests.bench.bench_latency import HOMEPAGE, PER_MINUTE, page_server
from tests.support.kill_campaign import VICTIMS

from seatrial.drivers import nft
from seatrial.load.launch import LoadPlan, LoadProcess, launch
from seatrial.measure import measure
from seatrial.model.arrivals import RateStep
from seatrial.model.quantities import Rate
from seatrial.undo import FaultSession, registry

KINDS = ("process.pause", "process.kill", "network.partition")
_AHEAD_S = 0.1
_DEADLINE_S = 2.0
_LONGEST_S = 600.0
_STARTS_WITHIN_S = 30.0


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


@contextmanager
def _load(directory: Path) -> Iterator[LoadProcess]:
    """10,000 requests a minute for as long as the block lasts."""
    with page_server(directory) as port:
        load = launch(
            LoadPlan(
                scenario=HOMEPAGE,
                host=f"http://127.0.0.1:{port}",
                shape=(RateStep(0.0, Rate(PER_MINUTE, 60.0)),),
                warmup_s=0.0,
                duration_s=_LONGEST_S,
                spacing="even",
                seed=1,
                deadline_s=_DEADLINE_S,
                directory=directory / "load",
            )
        )
        try:
            _wait_until_begun(load)
            yield load
        finally:
            load.stop(_DEADLINE_S)


def _wait_until_begun(load: LoadProcess) -> None:
    limit = time.monotonic() + _STARTS_WITHIN_S
    while not len(load.new_rows()):
        if load.poll() is not None or time.monotonic() > limit:
            raise SystemExit(f"the load did not start: {load.failure_reason()}")
        time.sleep(0.01)


def figures(directory: Path, injections: int = 100) -> dict[str, dict[str, float]]:
    """Per kind of fault: percentiles of the delay in milliseconds; and what the load was meanwhile."""
    found = {}
    begun = time.monotonic()
    with _load(directory) as load:
        for kind in KINDS:
            if kind == "network.partition" and nft.lacking():
                continue
            with FaultSession(
                directory / "home", kind, experiment="effect", run="bench", faults=[kind]
            ) as session:
                delays = delays_ms(session, kind, directory / kind, injections)
            p50, p99, highest = np.percentile(delays, (50, 99, 100))
            found[kind] = {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2), "max_ms": round(highest, 2)}
        lasted = time.monotonic() - begun
    audit = measure(load.finish(), _DEADLINE_S, 1.0, 0.0, lasted, []).generator
    assert audit.achieved_per_s is not None
    assert audit.late_p99_ms is not None
    found["load"] = {
        "sent": audit.sent,
        "achieved_per_s": round(audit.achieved_per_s, 1),
        "late_p99_ms": round(audit.late_p99_ms, 2),
    }
    return found


def test_bench_effect(tmp_path: Path) -> None:
    print(json.dumps(figures(tmp_path), indent=2))  # noqa: T201  # its output


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(figures(Path(place), *map(int, sys.argv[1:2])), indent=2))  # noqa: T201
