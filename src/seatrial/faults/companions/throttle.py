"""The companion of process.slow: stops and continues processes in turn, so that they run part of the time.

python -m seatrial.faults.companions.throttle STARTER SHARE PERIOD_S UNDO           (UNDO: JSON)

The share of time is what counts: where a signal takes long to arrive (some 15 ms until a container is frozen,
a round trip to another machine) the period is made long enough to keep it.
"""

from __future__ import annotations

import signal
import sys
import time

from seatrial.drivers.abilities import processes_of
from seatrial.drivers.host import resume
from seatrial.drivers.launch import Starter, say_ready
from seatrial.faults.process_slow import Slowed
from seatrial.model.problems import SeatrialError
from seatrial.undo.protocol import Undo

_SIGNALS_A_PERIOD = (
    20  # so many could be sent one after the other: a signal's time is 5 % of a period at most
)


def main(arguments: list[str]) -> None:
    """Throttle until whoever started it is gone, and leave everything running."""
    starter, share, period_s = Starter(arguments[0]), float(arguments[1]), float(arguments[2])
    undo = Undo.from_json(arguments[3])
    host, slowed = processes_of(undo.role).host, undo.noted(Slowed).processes
    host.states(slowed)  # a connection is opened now, and not timed
    said = False
    while starter.lives():
        began_s = time.monotonic()
        host.signal(slowed, signal.SIGSTOP)
        if not said:
            period_s = max(period_s, _SIGNALS_A_PERIOD * (time.monotonic() - began_s))
            say_ready()
            said = True
        time.sleep(period_s * (1 - share))
        resume(host, slowed)
        time.sleep(period_s * share)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SeatrialError as problem:
        sys.exit(str(problem))
