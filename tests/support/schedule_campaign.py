"""Three daemons on one database, killed and restarted at random while months pass in minutes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

from tests.support.schedule_daemon import fast_clock

from seatrial.schedule.loading import LoadedSchedule, load_schedule
from seatrial.store import OccurrenceState, RecordedOccurrence, Store

ROOT = Path(__file__).parents[2]
LEASE_S = 1.0
TICK_S = 0.05
SCHEDULE = """\
schedule: {name}
experiment: x.yaml
target: {name}.target.yaml
cadence: {{cron: "{minute} * * * *"}}
timezone: {zone}
jitter: 10m
windows: {{never: [{{days: sun, from: "18:00", to: "24:00", why: quiet evening}}]}}
missed: run-late within 3h
"""


@dataclass(frozen=True)
class World:
    """When it begins and ends, how fast it is, and where its schedules live."""

    start: datetime
    end: datetime
    speed: float
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Every planned instant, and what became of it."""

    planned: int
    states: dict[str, int]
    unaccounted: tuple[str, ...]
    unplanned: int
    started: int
    started_twice: tuple[str, ...]
    inconsistent: tuple[str, ...]  # rows that contradict what was seen to start
    kills: int
    reasons: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def write_schedules(directory: Path, zones: tuple[str, ...]) -> list[LoadedSchedule]:
    """One hourly schedule a zone, each with a target of its own."""
    (directory / "x.yaml").write_text("experiment: x\n")
    schedules = []
    for index, zone in enumerate(zones):
        name = zone.lower().replace("/", ".").replace("_", "-")
        (directory / f"{name}.target.yaml").write_text(f"target: {name}\nbase_url: http://127.0.0.1:1\n")
        file = directory / f"{name}.yaml"
        file.write_text(SCHEDULE.format(name=name, zone=zone, minute=index * 20))
        schedules.append(load_schedule(file))
    return schedules


def run_campaign(directory: Path, database: str, world: World, seed: int, kill_every_s: float) -> Outcome:
    """Let the world pass, then wait until everything that began has an end."""
    draw = random.Random(seed)
    schedules = write_schedules(directory, world.zones)
    log = directory / "started.log"
    log.touch()
    began = time.monotonic()
    epoch_s = time.time() + 2.0  # daemons take a while to start
    configuration = {
        "database": database,
        "files": ":".join(str(loaded.file) for loaded in schedules),
        "log": str(log),
        "epoch_s": str(epoch_s),
        "simulated_epoch": world.start.isoformat(),
        "speed": str(world.speed),
        "tick_s": str(TICK_S),
        "lease_s": str(LEASE_S),
    }
    command = [sys.executable, "-m", "tests.support.schedule_daemon", json.dumps(configuration)]
    now = fast_clock(epoch_s, world.start, world.speed)
    with Store(database) as store:
        daemons = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
        kills = 0
        next_kill = time.monotonic() + 2.0 + kill_every_s
        try:
            while now() < world.end or not _all_accounted_for(store, schedules, world):
                assert time.monotonic() - began < 900, "the campaign does not come to an end"
                if now() < world.end and time.monotonic() > next_kill:
                    victim = draw.randrange(3)
                    assert daemons[victim].poll() is None, "a daemon died on its own"
                    daemons[victim].kill()
                    daemons[victim].wait()
                    kills += 1
                    daemons[victim] = subprocess.Popen(command, cwd=ROOT)
                    next_kill = time.monotonic() + draw.uniform(0.5, 1.5) * kill_every_s
                time.sleep(0.1)  # the pace of looking
        finally:
            for daemon in daemons:
                daemon.kill()
                daemon.wait()
        return _judge(store, schedules, world, log, kills, time.monotonic() - began)


def _expected(loaded: LoadedSchedule, world: World) -> list[datetime]:
    return [each.utc for each in takewhile(lambda each: each.utc <= world.end, loaded.planned(world.start))]


def _rows(store: Store, loaded: LoadedSchedule, world: World) -> dict[datetime, RecordedOccurrence]:
    rows = store.occurrences.history(loaded.name, 100_000)
    return {row.planned_at: row for row in rows if row.planned_at <= world.end}


def _all_accounted_for(store: Store, schedules: list[LoadedSchedule], world: World) -> bool:
    if store.occurrences.running():
        return False
    return all(len(_rows(store, loaded, world)) >= len(_expected(loaded, world)) for loaded in schedules)


def _judge(
    store: Store, schedules: list[LoadedSchedule], world: World, log: Path, kills: int, seconds: float
) -> Outcome:
    starts = Counter(log.read_text().splitlines())
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    unaccounted, inconsistent = [], []
    told = {each.message.id for each in store.outbox.messages(limit=1_000_000)}
    planned = unplanned = started = 0
    for loaded in schedules:
        expected, rows = _expected(loaded, world), _rows(store, loaded, world)
        planned += len(expected)
        unplanned += len(rows.keys() - set(expected))
        unaccounted += [f"{loaded.name} {instant.isoformat()}" for instant in expected if instant not in rows]
        for instant, row in rows.items():
            name = f"{loaded.name} {instant.isoformat()}"
            states[row.state.value] += 1
            started += starts[name]
            if row.state in (OccurrenceState.MISSED, OccurrenceState.INTERRUPTED):
                reasons[_general(row.detail)] += 1
            may_start = {OccurrenceState.RUN: {1}, OccurrenceState.INTERRUPTED: {0, 1}}.get(row.state, {0})
            if starts[name] not in may_start:
                inconsistent.append(f"{name}: {row.state.value}, but started {starts[name]} times")
            page = f"{loaded.name}@{instant.isoformat()}:trigger:pagerduty"
            if row.state is OccurrenceState.INTERRUPTED and page not in told:
                inconsistent.append(f"{name}: interrupted, and nobody was told")
    return Outcome(
        planned=planned,
        states=dict(states),
        unaccounted=tuple(unaccounted),
        unplanned=unplanned,
        started=started,
        started_twice=tuple(name for name, count in starts.items() if count > 1),
        inconsistent=tuple(inconsistent),
        kills=kills,
        reasons=dict(reasons),
        seconds=seconds,
    )


def _general(detail: str) -> str:
    """A reason without the names and times in it."""
    for reason in (
        "no daemon was there to run it",
        "something else was running",
        "was busy with",
        "died, or was not heard",
        "it was late",
        "another declared it interrupted",
    ):
        if reason in detail:
            return reason
    return detail


SPRING = World(
    start=datetime(2026, 3, 28, 6, tzinfo=UTC),
    end=datetime(2026, 3, 28, 6, tzinfo=UTC) + timedelta(hours=48),
    speed=48 * 3600 / 7,
    zones=("Europe/Berlin", "Asia/Beirut", "Europe/London"),
)
"""Two days in seven seconds; all three zones change their clocks in them, one of them at midnight."""
