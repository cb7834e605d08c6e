"""The companion of process.slow: stops and continues processes in turn, so that they run part of the time.

python -m seatrial.faults.companions.throttle CONDUCTOR SHARE PERIOD_S PROCESSES      (PROCESSES: JSON)
"""

from __future__ import annotations

import json
import signal
import sys
import time

from seatrial.drivers.launch import Conductor, say_ready
from seatrial.processes import ProcessId, resume, send


def main(arguments: list[str]) -> None:
    """Throttle until the conductor is gone, and leave everything running."""
    conductor, share, period_s = Conductor(arguments[0]), float(arguments[1]), float(arguments[2])
    processes = [ProcessId(**each) for each in json.loads(arguments[3])]
    said = False
    while conductor.lives():
        for process in processes:
            send(process, signal.SIGSTOP)
        if not said:
            say_ready()
            said = True
        time.sleep(period_s * (1 - share))
        resume(processes)
        time.sleep(period_s * share)


if __name__ == "__main__":
    main(sys.argv[1:])
