"""The companion of process.slow: stops and continues processes in turn, so that they run part of the time.

python -m seatrial.faults.companions.throttle STARTER SHARE PERIOD_S UNDO           (UNDO: JSON)

The share of time is what counts: where a signal takes long to arrive (some 15 ms until a container is frozen,
a round trip to another machine) the period is made long enough to keep it, and where a busy machine lets this
program wait, what ran for too long is stopped for longer the next time.
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
_MOST_OWED = 5  # periods: who ran for a second, because nobody could look, is not stopped for several


def main(arguments: list[str]) -> None:
    """Throttle until whoever started it is gone, and leave everything running."""
    starter, share, period_s = Starter(arguments[0]), float(arguments[1]), float(arguments[2])
    undo = Undo.from_json(arguments[3])
    host, slowed = processes_of(undo.role).host, undo.noted(Slowed).processes
    host.states(slowed)  # a connection is opened now, and not timed
    owed_s = resumed_s = None  # how long it is still to be stopped for what it ran; since when it runs
    while starter.lives():
        began_s = time.monotonic()
        host.signal(slowed, signal.SIGSTOP)
        if owed_s is None or resumed_s is None:
            period_s = max(period_s, _SIGNALS_A_PERIOD * (time.monotonic() - began_s))
            owed_s = period_s * (1 - share)
            say_ready()
        else:
            owed_s += (began_s - resumed_s) * (1 - share) / share
        owed_s = min(owed_s, _MOST_OWED * period_s)
        time.sleep(max(owed_s, 0.0))
        resume(host, slowed)
        resumed_s = time.monotonic()
        owed_s = max(owed_s - (resumed_s - began_s), -_MOST_OWED * period_s)
        time.sleep(period_s * share)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SeatrialError as problem:
        sys.exit(str(problem))
