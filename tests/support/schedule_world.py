"""A daemon whose clocks, schedule and runs are in a test's hands."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.results import result
from tests.support.sinks import KEPT

from seatrial.model.verdict import Verdict
from seatrial.schedule.clock import Clock
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.execution import Outcome
from seatrial.schedule.loading import LoadedSchedule, load_schedule
from seatrial.store import Occurrence, RecordedOccurrence, Store

START = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
LEASE_S = 60.0


def outcome(verdict: Verdict, number: int = 1, *, interrupted: bool = False) -> Outcome:
    """That of a run with this verdict."""
    return Outcome.of_run(result(verdict, number, interrupted=interrupted))


@dataclass
class Time:
    """Both clocks, moved by hand, together or each alone."""

    wall: datetime = START
    monotonic: float = 1000.0

    def passes(self, **by: float) -> None:
        """Time goes on."""
        self.wall += timedelta(**by)
        self.monotonic += timedelta(**by).total_seconds()

    @property
    def clock(self) -> Clock:
        """As the code reads it."""
        return Clock(lambda: self.wall, lambda: self.monotonic)


@dataclass
class Runs:
    """What daemons execute: each run waits until the test lets it go."""

    verdict: Verdict = Verdict.PASS
    started: list[str] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def __call__(self, loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
        self.started.append(f"{loaded.name} {occurrence.planned_at:%H:%M}")
        if self.error is not None:
            raise self.error
        while not (self.go.wait(0.005) or abort.is_set()):
            pass
        aborted = abort.is_set() and not self.go.is_set()
        return outcome(self.verdict, len(self.started), interrupted=aborted)


def write_plan(
    directory: Path, name: str = "hourly", target: str = "staging", more: str = ""
) -> LoadedSchedule:
    """A schedule that is due at each full hour UTC and may be half an hour late."""
    (directory / "x.yaml").write_text("experiment: x\n")
    (directory / f"{target}.target.yaml").write_text(f"target: {target}\nbase_url: http://127.0.0.1:1\n")
    missed = "" if "missed:" in more else "missed: run-late within 30m\n"
    (directory / f"{name}.yaml").write_text(
        f"schedule: {name}\nexperiment: x.yaml\ntarget: {target}.target.yaml\n"
        f'cadence: {{cron: "0 * * * *"}}\n{missed}{more}\n'
    )
    return load_schedule(directory / f"{name}.yaml")


class World:
    """One store, some schedules, one clock, and daemons on them."""

    def __init__(self, store: Store, *schedules: LoadedSchedule) -> None:
        self.store = store
        self.schedules = list(schedules)
        self.time = Time()
        self.runs = Runs()

    def daemon(self, parallel: int = 2) -> Daemon:
        """One more daemon."""
        options = Options(KEPT, lease_s=LEASE_S, parallel=parallel)
        return Daemon(self.store, lambda: self.schedules, self.runs, self.time.clock, options, START)

    def rows(self) -> dict[str, RecordedOccurrence]:
        """What became of each occurrence, by schedule and time."""
        return {f"{row.schedule} {row.planned_at:%H:%M}": row for row in self.store.occurrences.history()}

    def states(self) -> dict[str, str]:
        """The same, the state alone."""
        return {name: row.state.value for name, row in sorted(self.rows().items())}

    def let_finish(self, daemon: Daemon) -> None:
        """Let all runs end, and the daemon see it."""
        self.runs.go.set()
        self.await_idle(daemon)
        self.runs.go.clear()

    @staticmethod
    def await_idle(daemon: Daemon) -> None:
        """Tick until nothing runs any more."""
        for _ in range(2000):
            daemon.tick()
            if not daemon.running:
                return
            threading.Event().wait(0.005)  # the pace of ticking
        raise AssertionError("a run did not end")
