"""`seatrial schedule start` with a run that lasts until it is aborted: DATABASE_URL SCHEDULE [PORT]."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

from tests.support.schedule_world import outcome

from seatrial.incidents import IncidentSettings
from seatrial.model.verdict import Verdict
from seatrial.schedule.commands import StartOptions, start
from seatrial.schedule.execution import Outcome
from seatrial.schedule.loading import LoadedSchedule
from seatrial.store import Occurrence, Store

_log = logging.getLogger(__name__)


def _execute(loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
    _log.info("running %s", occurrence.schedule)
    abort.wait()
    return outcome(Verdict.UNKNOWN, interrupted=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    options = StartOptions(metrics=("127.0.0.1", 0), tick_s=0.1)
    with Store(sys.argv[1]) as store:
        start([Path(sys.argv[2])], store, _execute, options, IncidentSettings(), open_faults=lambda: 2)
