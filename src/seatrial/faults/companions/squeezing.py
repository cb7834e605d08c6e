"""The companion of redis.evict: lowers maxmemory for an instant, again and again, and puts it back.

    python -m seatrial.faults.companions.squeezing STARTER KEYS UNDO            (KEYS: that stay; UNDO: JSON)

The server evicts before each command that it takes, for half a millisecond at the most, and only as long as
it holds more than maxmemory. So the commands of one packet are: less, a few that make it evict, as before. No
write of anybody else comes between them, and none finds the server short of memory.
"""

from __future__ import annotations

import contextlib
import sys
import time

from seatrial.drivers.launch import Starter, say_ready
from seatrial.drivers.redis_client import Server, connected
from seatrial.faults.redis_evict import Squeezed, keys_of, lowered
from seatrial.model.problems import SeatrialError, Unavailable
from seatrial.undo.protocol import Undo

_EVERY_S = 0.05
_SAMPLE = 8
_TURNS = 10  # of evicting in one packet, so that others wait 5 ms for it at the most


def main(arguments: list[str]) -> None:
    """Squeeze until whoever started it is gone, or somebody else has set a maxmemory."""
    starter, keys, undo = Starter(arguments[0]), int(arguments[1]), Undo.from_json(arguments[2])
    noted = undo.noted(Squeezed)
    with connected(undo.role) as server:
        going = squeeze(server, noted, keys)
        say_ready()
        while going and starter.lives():
            time.sleep(_EVERY_S)
            with contextlib.suppress(Unavailable):  # another fault may have taken the server away
                going = squeeze(server, noted, keys)


def squeeze(server: Server, noted: Squeezed, keys: int) -> bool:
    """Have what is more than `keys` evicted, or a part of it; False when maxmemory is somebody else's now."""
    before = noted.before[0]
    if server.setting("maxmemory") != before:
        return False
    more = keys_of(server) - keys
    if more > 0:
        used = int(server.figures("memory")["used_memory"])
        less = lowered(used - more * (_bytes_a_key(server) or noted.bytes_a_key))
        server.at_once(
            ("CONFIG", "SET", "maxmemory", less),
            *[("PING",)] * _TURNS,
            ("CONFIG", "SET", "maxmemory", before),
        )
    return True


def _bytes_a_key(server: Server) -> float:
    """Of some at random: what comes meanwhile may be of another size. 0 when the server does not say."""
    with contextlib.suppress(Unavailable):
        keys = [key for key in server.at_once(*[("RANDOMKEY",)] * _SAMPLE) if key is not None]
        sizes = server.at_once(*(("MEMORY", "USAGE", key) for key in keys)) if keys else []
        known = [size for size in sizes if size]
        return sum(known) / len(known) if known else 0.0
    return 0.0


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SeatrialError as problem:
        sys.exit(str(problem))
