"""A schedule daemon in a process of its own, on a clock that runs fast, to be killed.

Its occurrences "run" by writing their names to a file that all daemons append to, so that one which is run
twice is seen there whatever the database says.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.schedule_world import outcome
from tests.support.sinks import KEPT

from seatrial.model.verdict import Verdict
from seatrial.schedule.clock import Clock
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.execution import Outcome
from seatrial.schedule.loading import LoadedSchedule, ScheduleFiles
from seatrial.schedule.service import Service
from seatrial.store import Occurrence, Store


def fast_clock(epoch_s: float, simulated_epoch: datetime, speed: float) -> Callable[[], datetime]:
    """The wall clock of a world in which `speed` seconds pass in one."""
    return lambda: simulated_epoch + timedelta(seconds=(time.time() - epoch_s) * speed)


def main(configuration: dict[str, str]) -> None:
    """Tick until killed."""
    log = os.open(configuration["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def execute(loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
        name = f"{loaded.name} {occurrence.planned_at.isoformat()}"
        os.write(log, f"{name}\n".encode())
        abort.wait(0.01 + 0.02 * (hash(name) % 8) / 8)  # the run
        return outcome(Verdict.PASS, interrupted=abort.is_set())

    now = fast_clock(
        float(configuration["epoch_s"]),
        datetime.fromisoformat(configuration["simulated_epoch"]).astimezone(UTC),
        float(configuration["speed"]),
    )
    files = ScheduleFiles([Path(file) for file in configuration["files"].split(":")])
    tick_s = float(configuration["tick_s"])
    options = Options(KEPT, tick_s, float(configuration["lease_s"]), parallel=3)
    with Store(configuration["database"]) as store:
        since = datetime.fromisoformat(configuration["simulated_epoch"])
        daemon = Daemon(store, files.current, execute, Clock(now=now), options, since)
        Service(daemon, tick_s).run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
