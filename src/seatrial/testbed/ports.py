"""Free TCP ports that stay free.

The usual trick, binding port 0, yields a port of the ephemeral range: while a part is down for an experiment,
any outgoing connection of the load may be given that very port, and the part cannot come back. So ports are
drawn from below that range.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

from seatrial.model.problems import Unavailable

_LOWEST = 15_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_MOST_TRIES = 1_000


def ephemeral_start() -> int:
    """The first port that the kernel may give to outgoing connections."""
    return int(_EPHEMERAL.read_text().split()[0])


def free(host: str, chance: random.Random, below: int | None = None) -> Iterator[int]:
    """Distinct ports of `host` that nobody listens on. Raises Unavailable when there are none."""
    highest = below if below is not None else ephemeral_start()
    candidates = range(_LOWEST, highest) if highest > _LOWEST + _MOST_TRIES else range(1_024, 65_536)
    for port in chance.sample(candidates, _MOST_TRIES):
        if _is_free(host, port):
            yield port
    raise Unavailable(
        f"testbed: no free TCP ports between {candidates.start} and {candidates.stop} on {host}"
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
