"""What each kind of client sees of one and the same region failover by DNS: python -m tests.bench.bench_front_failover

East is lost for 6 s; health checks take it out of the name's answer within a second.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.front_failover import failover, two_fronts

KINDS = (
    "connections: shared, dns: {select: first, ttl: 1h}",
    "connections: shared, dns: {select: round-robin, ttl: 1h}",
    "connections: shared, dns: {select: first, ttl: 1s}",
    "connections: new, dns: {select: first, ttl: 1h}",
    "connections: new, dns: {select: first, ttl: 1s}",
    "connections: new, dns: {select: round-robin, ttl: 1h}",
    "connections: new, dns: {select: round-robin, ttl: 1s}",
)


def main() -> None:
    """One run of each."""
    with tempfile.TemporaryDirectory() as directory, two_fronts(Path(directory)) as fronts:
        for number, clients in enumerate(KINDS):
            verdict, _ = failover(fronts, Path(directory) / str(number), clients)
            seen = max(
                (outage["perceived"] for outage in verdict["outages"]),
                key=lambda perceived: perceived["upper_s"],
                default={"lower_s": 0.0, "upper_s": 0.0},
            )
            print(  # noqa: T201  # its output
                f"{clients:56} {verdict['verdict']:8} [{seen['lower_s']:.2f}, {seen['upper_s']:.2f}] s,"
                f" equivalent {verdict['equivalent_outage_s']:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
