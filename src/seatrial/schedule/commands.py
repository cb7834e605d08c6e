"""What `seatrial schedule start|next|history` do: the terminal only parses arguments and prints."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from seatrial.incidents import IncidentSettings, deliver
from seatrial.metrics import StoreCollector, listen
from seatrial.model.problems import BadInput, Problem, Unavailable
from seatrial.schedule.clock import Clock
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.execution import Execute
from seatrial.schedule.loading import LoadedSchedule, Review, ScheduleFiles, load_schedules, unreviewed
from seatrial.schedule.service import Companions, Service
from seatrial.schedule.telling import Teller
from seatrial.schedule.upcoming import Upcoming, upcoming
from seatrial.store import RecordedOccurrence, Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What `seatrial schedule start` can be told.

    `once`: run what is due and end, for those whom cron, a CronJob or a workflow wakes. `metrics`: host and
    port to serve `/metrics` at.
    """

    once: bool = False
    metrics: tuple[str, int] | None = None
    tick_s: float = 5.0
    lease_s: float = 120.0
    drain_s: float = 600.0
    parallel: int = 1


def start(
    files: Sequence[Path],
    store: Store,
    execute: Execute,
    options: StartOptions = StartOptions(),  # frozen
    settings: IncidentSettings | None = None,
    open_faults: Callable[[], int] | None = None,
    review: Callable[[LoadedSchedule], Review] = unreviewed,
) -> None:
    """Be a daemon until a signal says end. Raises BadInput before anything starts, if a file is wrong.

    `review` plans what a schedule names, now and whenever one of those files changes. What is wrong at the
    start is told as an incident, too: whoever restarts a daemon at night reads no terminal.
    """
    settings = settings if settings is not None else IncidentSettings.from_environment()
    watched = ScheduleFiles(files, review)
    schedules = watched.current()
    clock = Clock()
    if watched.problems():
        _refuse(watched, store, settings, clock.now())
    late = max((loaded.schedule.missed.late_s for loaded in schedules), default=0.0)
    daemon = Daemon(
        store,
        watched.current,
        execute,
        clock,
        Options(settings.routes(), options.tick_s, options.lease_s, options.parallel),
        # One that is woken by others must also see what came due before it was: it may be its first waking.
        since=clock.now() - timedelta(seconds=late) if options.once else None,
        problems=watched.problems,
    )
    service = Service(daemon, options.tick_s, options.drain_s)
    with ExitStack() as stack:
        if options.metrics is not None:
            collector = StoreCollector(
                store,
                clock.now,
                lambda: [loaded.name for loaded in watched.current()],
                settings.off(),
                open_faults,
            )
            port = stack.enter_context(listen(collector, *options.metrics))
            _log.info("metrics are served at http://%s:%d/metrics", options.metrics[0], port)
        stack.enter_context(Companions(store, settings, watched.current))
        stack.enter_context(stopped_by_signals(service))
        if options.once:
            most_jitter = max((loaded.schedule.jitter.seconds for loaded in schedules), default=0.0)
            service.run_once(patience_s=most_jitter + 900.0)
        else:
            service.run()


def _refuse(watched: ScheduleFiles, store: Store, settings: IncidentSettings, now: datetime) -> None:
    """Tell what is wrong with the schedules' files, and raise it."""
    problems = watched.problems()
    teller = Teller(store, settings.routes())
    try:
        for loaded in watched.current():
            store.outbox.enqueue(teller.of_files(loaded, problems.get(loaded.name, ()), now), now)
        deliver(store, settings)
    except Unavailable as error:
        _log.warning("nobody could be told of it: %s", error)
    raise BadInput(list(dict.fromkeys(problem for found in problems.values() for problem in found)))


def reviewed(files: Sequence[Path], review: Callable[[LoadedSchedule], Review]) -> list[Problem]:
    """What is wrong with the files that schedules name. Raises BadInput if a schedule itself is wrong."""
    found = [problem for loaded in load_schedules(files) for problem in review(loaded).problems]
    return list(dict.fromkeys(found))


def next_occurrences(files: Sequence[Path], count: int, after: datetime) -> list[Upcoming]:
    """The next planned instants of some schedules. Raises BadInput."""
    if count < 1:
        raise BadInput("--count must be at least 1")
    return upcoming(load_schedules(files), after, count)


def history(store: Store, schedule: str | None = None, limit: int = 100) -> list[RecordedOccurrence]:
    """What became of the latest occurrences, newest first."""
    return store.occurrences.history(schedule, limit)


@contextmanager
def stopped_by_signals(service: Service) -> Iterator[None]:
    """Signals stop the service while the context lasts (only the main thread can say so).

    The first signal ends the daemon gracefully, a second SIGTERM or SIGINT ends it at once; SIGHUP (the
    terminal was closed) never does, because it may follow either of them. Signals that were ignored when we
    began stay ignored, except SIGTERM. A SIGINT counts as a person's Ctrl-C when there is a terminal; without
    one, a supervisor has sent it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    attended = sys.stdin is not None and sys.stdin.isatty()

    def stop(number: int, _frame: FrameType | None) -> None:
        service.stop(hurry=number != signal.SIGHUP, by_hand=attended and number == signal.SIGINT)

    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    for number, handler in former.items():
        if number == signal.SIGTERM or handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
