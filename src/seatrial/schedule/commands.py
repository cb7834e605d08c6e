"""What `seatrial schedule start|next|history` do: the terminal only parses arguments and prints."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from seatrial.incidents import Settings
from seatrial.metrics import StoreCollector, listen
from seatrial.model.problems import BadInput
from seatrial.schedule.clock import Clock
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.execution import Execute
from seatrial.schedule.plan import ScheduleFiles, load_plans
from seatrial.schedule.service import Companions, Service
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
    settings: Settings | None = None,
    open_faults: Callable[[], int] | None = None,
) -> None:
    """Be a daemon until a signal says end. Raises BadInput before anything starts, if a file is wrong."""
    settings = settings if settings is not None else Settings.from_environment()
    schedules = ScheduleFiles(files)
    plans = schedules.current()
    clock = Clock()
    late = max((plan.schedule.missed.late_s for plan in plans), default=0.0)
    daemon = Daemon(
        store,
        schedules.current,
        execute,
        clock,
        Options(options.tick_s, options.lease_s, options.parallel, settings.routes()),
        # One that is woken by others must also see what came due before it was: it may be its first waking.
        since=clock.now() - timedelta(seconds=late) if options.once else None,
    )
    service = Service(daemon, options.tick_s, options.drain_s)
    with ExitStack() as stack:
        if options.metrics is not None:
            collector = StoreCollector(
                store,
                clock.now,
                lambda: [plan.name for plan in schedules.current()],
                settings.off(),
                open_faults,
            )
            port = stack.enter_context(listen(collector, *options.metrics))
            _log.info("metrics are served at http://%s:%d/metrics", options.metrics[0], port)
        stack.enter_context(Companions(store, settings, schedules.current))
        stack.enter_context(stopped_by_signals(service))
        if options.once:
            most_jitter = max((plan.schedule.jitter.seconds for plan in plans), default=0.0)
            service.run_once(patience_s=most_jitter + 900.0)
        else:
            service.run()


def next_occurrences(files: Sequence[Path], count: int, after: datetime) -> list[Upcoming]:
    """The next planned instants of some schedules. Raises BadInput."""
    if count < 1:
        raise BadInput("--count must be at least 1")
    return upcoming(load_plans(files), after, count)


def history(store: Store, schedule: str | None = None, limit: int = 100) -> list[RecordedOccurrence]:
    """What became of the latest occurrences, newest first."""
    return store.occurrences.history(schedule, limit)


@contextmanager
def stopped_by_signals(service: Service) -> Iterator[None]:
    """Signals stop the service while the context lasts (only the main thread can say so).

    SIGTERM or SIGINT a second time is in a hurry; SIGHUP, the end of the terminal, never is: it may follow
    either of them. What was ignored when we began stays ignored, except SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    for number, handler in former.items():
        if number == signal.SIGTERM or handler is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: service.stop(hurry=number != signal.SIGHUP))
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
