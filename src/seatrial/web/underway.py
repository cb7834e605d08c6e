"""Runs that have not come to their end: who conducts them, and how the last seconds were.

Nothing is asked of the conductor, who has better to do: its journal and the load generator's spool are read
as they grow, in the same way as it reads them itself. All who watch a run share one reader.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from seatrial.load.launch import SPOOLS
from seatrial.load.spools import Spools
from seatrial.model.problems import SeatrialError
from seatrial.model.requestlog import RequestLog
from seatrial.report.views import event as event_view
from seatrial.run.evidence import JOURNAL, read_journal
from seatrial.run.live import LiveMeasurement
from seatrial.run.openruns import OpenRun, unfinished
from seatrial.web import documents
from seatrial.web.runs import Missing
from seatrial.web.sources import Sources

_LATEST = 60  # lines of the journal
_LOOK_EVERY_S = 0.9
_MOST_WATCHED = 32


class Watch:
    """The figures of one run, read at most about once a second however many watch it."""

    def __init__(self, directory: Path) -> None:
        self._spool = Spools(directory / SPOOLS)
        self._lock = threading.Lock()
        self._live: LiveMeasurement | None = None
        self._looked_s = -math.inf
        self._figures: documents.Figures | None = None

    def figures(self) -> documents.Figures | None:
        """The figures of the last two seconds; None while no load has begun."""
        with self._lock:
            if time.monotonic() - self._looked_s >= _LOOK_EVERY_S:
                self._looked_s = time.monotonic()
                with contextlib.suppress(SeatrialError):  # damaged: what was known stays
                    self._look()
            return self._figures

    def _look(self) -> None:
        for rows in self._spool.parts():  # a night's, when the first comes to watch in the morning
            self._take(rows)
        now_s = self._take(RequestLog.empty())
        if self._live is None:
            return
        found = self._live.figures(now_s)
        self._figures = documents.Figures(
            at_s=now_s,
            offered_per_s=found.offered_per_s,
            achieved_per_s=found.achieved_per_s,
            good=found.good,
            bad=found.bad,
            recent_bad=found.recent_bad,
            p95_ms=found.p95_ms,
        )

    def _take(self, rows: RequestLog) -> float:
        """Take in rows, once it is known of which load; the present instant on their clock."""
        header = self._spool.header
        if header is None:
            return math.nan
        self._live = self._live or LiveMeasurement(header.deadline_s)
        now_s = time.monotonic() - header.zero_monotonic_s
        self._live.add(rows, now_s)
        return now_s


class Watches:
    """The readers of the runs that somebody watches; those of runs that are over are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}

    def of(self, run: OpenRun) -> Watch:
        """The one of a run."""
        with self._lock:
            while len(self._watches) >= _MOST_WATCHED and run.directory not in self._watches:
                self._watches.pop(next(iter(self._watches)))
            return self._watches.setdefault(run.directory, Watch(Path(run.directory)))


_watches = Watches()


def underway(sources: Sources) -> list[documents.Underway]:
    """Every run that has not come to its end, without its figures."""
    return [_told(sources, run, lives) for run, lives in unfinished(sources.home)]


def watched(sources: Sources, run_id: str) -> documents.Underway:
    """A run that has not come to its end, with its figures. Raises Missing."""
    run, lives = open_run(sources, run_id)
    lines = read_journal(Path(run.directory) / JOURNAL)[-_LATEST:]
    views = [event_view(line) for line in reversed(lines)]
    happenings = [
        documents.Happening(wall=each.wall, event=each.event, details=each.details) for each in views
    ]
    return _told(sources, run, lives, _watches.of(run).figures() if lives else None, happenings)


def _told(
    sources: Sources,
    run: OpenRun,
    lives: bool,
    figures: documents.Figures | None = None,
    happenings: Sequence[documents.Happening] = (),
) -> documents.Underway:
    return documents.Underway(
        run=run.run,
        experiment=run.experiment,
        target=run.target,
        started_at=run.started_at,
        conducted=lives,
        keeper=_keeper(sources, run, lives),
        figures=figures,
        happenings=list(happenings),
    )


def open_run(sources: Sources, run_id: str) -> tuple[OpenRun, bool]:
    """The record of a run that has not come to its end, and whether its conductor lives. Raises Missing."""
    for run, lives in unfinished(sources.home):
        if run.run == run_id:
            return run, lives
    raise Missing(f"no run '{run_id}' is under way")


def _pid() -> int:
    return os.getpid()


def _keeper(sources: Sources, run: OpenRun, lives: bool) -> str:
    """Why a run cannot be stopped from here; empty when it can."""
    if not lives:
        return "its conductor is gone; to end it: seatrial recover"
    if run.pid == _pid():
        return "it is conducted by this very process"
    daemon = f"{socket.gethostname()}:{run.pid}"
    if any(each.daemon == daemon for each in sources.store.occurrences.running()):
        return f"the daemon {daemon} conducts it, and would end with it; to end both: kill {run.pid}"
    return ""
