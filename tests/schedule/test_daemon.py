"""A daemon's life: claims, deaths, closed windows, jumping clocks, a database that goes away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.results import result
from tests.support.schedule_world import LEASE_S, START, World, write_plan
from tests.support.sinks import KEPT

from seatrial.incidents.event import IncidentEvent
from seatrial.model.problems import Location, Problem, Unavailable
from seatrial.model.suiteresult import SuiteResult
from seatrial.model.verdict import Verdict
from seatrial.schedule.daemon import Daemon, Options
from seatrial.schedule.execution import Outcome
from seatrial.schedule.loading import LoadedSchedule, load_schedule
from seatrial.store import Store

Launch = Callable[..., World]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as opened:
        yield opened


@pytest.fixture
def launch(store: Store) -> Iterator[Launch]:
    """Make worlds; whatever a test leaves running in them ends with it."""
    worlds: list[World] = []

    def make(*schedules: LoadedSchedule) -> World:
        worlds.append(World(store, *schedules))
        return worlds[-1]

    yield make
    for each in worlds:
        each.runs.go.set()


@pytest.fixture
def world(launch: Launch, tmp_path: Path) -> World:
    """A world with one hourly schedule."""
    return launch(write_plan(tmp_path))


def told(store: Store) -> list[str]:
    messages = store.outbox.messages(newest_first=False)
    return [f"{each.message.kind} {each.message.dedup_key}" for each in messages]


def die(daemon: Daemon) -> None:
    """As `kill -9` does: what it ran ends, and nobody hears of it."""
    daemon.abort_all("killed")
    daemon._executions.clear()


def test_what_is_due_runs_once_and_its_verdict_is_recorded(world: World) -> None:
    daemon, other = world.daemon(), world.daemon()
    daemon.tick()
    assert world.states() == {}
    world.time.passes(minutes=30)
    daemon.tick()
    other.tick()
    assert world.states() == {"hourly 01:00": "running"}
    world.let_finish(daemon)
    row = world.rows()["hourly 01:00"]
    assert (row.state, row.verdict, row.run) == ("run", "pass", "database-crash-0001")
    for each in (daemon, other):
        each.tick()
    assert world.runs.started == ["hourly 01:00"]
    assert daemon.idle


def test_what_was_due_while_no_daemon_was_there_is_missed_and_pages_once(world: World) -> None:
    world.daemon().tick()  # from here on the schedule is known
    world.time.passes(hours=4, minutes=5)
    world.daemon().tick()
    assert world.states() == {
        "hourly 01:00": "missed",
        "hourly 02:00": "missed",
        "hourly 03:00": "missed",
        "hourly 04:00": "missed",
    }
    assert told(world.store) == ["trigger seatrial/staging/schedule.hourly"]
    event = IncidentEvent.from_json(world.store.outbox.messages()[0].message.body)
    assert "planned for 2026-03-01 04:00 UTC was missed: no daemon was there" in event.summary
    (loaded,) = world.schedules
    assert event.details["reproduce"] == f"seatrial run {loaded.runs} --target {loaded.target_file}"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_it_is_resolved_by_the_next_pass_alone(world: World, verdict: Verdict) -> None:
    world.daemon().tick()
    world.time.passes(hours=1, minutes=45)
    daemon = world.daemon()
    daemon.tick()
    world.time.passes(minutes=20)
    world.runs.verdict = verdict
    daemon.tick()
    world.let_finish(daemon)
    assert world.states() == {"hourly 01:00": "missed", "hourly 02:00": "run"}
    more = {
        Verdict.PASS: ["resolve seatrial/staging/schedule.hourly"],
        Verdict.FAIL: [],  # which the experiment's own incident tells
        Verdict.UNKNOWN: ["trigger seatrial/staging/schedule.hourly"] * 2,  # the second of a row: louder
    }
    assert told(world.store)[1:] == more[verdict]


def test_late_but_in_time_runs_late(world: World) -> None:
    world.daemon().tick()
    world.time.passes(minutes=55)
    daemon = world.daemon()
    daemon.tick()
    assert world.runs.started == ["hourly 01:00"]


def test_a_blackout_is_skipped_and_pages_nobody(launch: Launch, tmp_path: Path) -> None:
    more = "windows: {never: [{days: sun, from: '00:30', to: '01:30', why: maintenance}]}"
    world = launch(write_plan(tmp_path, more=more))
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()
    row = world.rows()["hourly 01:00"]
    assert (row.state, row.detail) == ("skipped", "never: maintenance")
    assert told(world.store) == []


def test_a_window_that_closes_during_a_run_aborts_it(launch: Launch, tmp_path: Path) -> None:
    more = "windows: {only: [{days: sun, from: '00:00', to: '01:10'}]}"
    world = launch(write_plan(tmp_path, more=more))
    daemon = world.daemon()
    world.time.passes(minutes=39)
    daemon.tick()
    assert world.states() == {"hourly 01:00": "running"}
    world.time.passes(minutes=1)
    world.await_idle(daemon)
    row = world.rows()["hourly 01:00"]
    assert row.state == "interrupted"
    assert "its window has closed (only: sun 00:00–01:10)" in row.detail


def test_one_at_a_time_on_a_target_and_the_obstacle_is_remembered(store: Store, tmp_path: Path) -> None:
    world = World(
        store, write_plan(tmp_path, "a"), write_plan(tmp_path, "b"), write_plan(tmp_path, "c", "other")
    )
    daemon = world.daemon(parallel=5)
    world.time.passes(minutes=30)
    daemon.tick()
    assert world.states() == {"a 01:00": "running", "c 01:00": "running"}
    world.time.passes(minutes=40)
    daemon.tick()
    assert "something else was running on staging" in world.rows()["b 01:00"].detail
    world.let_finish(daemon)
    assert world.states() == {"a 01:00": "run", "b 01:00": "missed", "c 01:00": "run"}


def test_what_waits_for_its_target_runs_when_it_is_free(launch: Launch, tmp_path: Path) -> None:
    world = launch(write_plan(tmp_path, "a"), write_plan(tmp_path, "b"))
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()
    assert not daemon.idle
    world.let_finish(daemon)
    daemon.tick()
    world.let_finish(daemon)
    assert world.states() == {"a 01:00": "run", "b 01:00": "run"}


def test_a_machine_runs_only_so_many_at_once(launch: Launch, tmp_path: Path) -> None:
    world = launch(write_plan(tmp_path, "a", "one"), write_plan(tmp_path, "b", "two"))
    daemon = world.daemon(parallel=1)
    world.time.passes(minutes=30)
    daemon.tick()
    assert world.states() == {"a 01:00": "running"}
    world.time.passes(minutes=31)
    daemon.tick()
    assert "was busy with a" in world.rows()["b 01:00"].detail
    world.let_finish(daemon)


def test_a_dead_daemons_occurrence_is_interrupted_after_a_lease_and_pages(world: World) -> None:
    dead, survivor = world.daemon(), world.daemon()
    world.time.passes(minutes=30)
    dead.tick()
    survivor.tick()  # begins to watch
    die(dead)
    world.time.passes(seconds=LEASE_S - 1)
    survivor.tick()
    assert world.states() == {"hourly 01:00": "running"}
    world.time.passes(seconds=2)
    survivor.tick()
    row = world.rows()["hourly 01:00"]
    assert row.state == "interrupted"
    assert "died, or was not heard for 60 s" in row.detail
    assert told(world.store) == ["trigger seatrial/staging/schedule.hourly"]
    assert world.runs.started == ["hourly 01:00"]  # it is not run a second time


def test_a_living_daemon_is_never_interrupted_however_clocks_jump(world: World) -> None:
    owner, watcher = world.daemon(), world.daemon()
    world.time.passes(minutes=30)
    owner.tick()
    for _ in range(5):
        world.time.wall += timedelta(hours=7)
        watcher.tick()
        world.time.wall -= timedelta(hours=7)
        world.time.passes(seconds=LEASE_S * 0.5)
        owner.tick()
        watcher.tick()
    world.let_finish(owner)
    assert world.states()["hourly 01:00"] == "run"


def test_a_clock_that_jumps_forward_misses_and_one_that_jumps_back_repeats_nothing(world: World) -> None:
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()
    world.let_finish(daemon)
    world.time.wall += timedelta(hours=2, minutes=40)
    daemon.tick()
    assert world.states() == {"hourly 01:00": "run", "hourly 02:00": "missed", "hourly 03:00": "missed"}
    world.time.wall = START
    for _ in range(16):
        world.time.passes(minutes=10)
        daemon.tick()
    assert world.runs.started == ["hourly 01:00"]


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, store: Store) -> Iterator[pytest.MonkeyPatch]:
    """A database that does not answer until `undo`."""

    def refuse(*_: object) -> None:
        raise Unavailable("the run database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "writing", refuse)
        patch.setattr(store.database, "reading", refuse)
        yield patch


def test_it_starts_nothing_while_the_database_is_away_and_catches_up(
    world: World, away: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = world.daemon()
    world.time.passes(minutes=30)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            daemon.tick()
    assert caplog.text.count("does not answer") == 1  # said once, not at every tick
    assert daemon.away
    assert world.runs.started == []
    away.undo()
    daemon.tick()
    assert world.runs.started == ["hourly 01:00"]
    assert not daemon.away


def test_a_run_goes_on_while_the_database_is_away_and_its_ending_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()

    def refuse(*_: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(world.store.database, "writing", refuse)
        world.runs.go.set()
        world.time.passes(seconds=20)
        daemon.tick()
        assert daemon.running == 1
    world.await_idle(daemon)
    assert world.states() == {"hourly 01:00": "run"}


def test_an_owner_that_is_not_heard_aborts_before_others_may_take_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()

    def refuse(*_: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(world.store.database, "writing", refuse)
        world.time.passes(seconds=LEASE_S * 0.7)
        daemon.tick()
    world.await_idle(daemon)
    row = world.rows()["hourly 01:00"]
    assert row.state == "interrupted"
    assert "has not answered for 42 s" in row.detail


def test_a_run_that_breaks_is_interrupted_with_its_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = world.daemon()
    for error in (ZeroDivisionError("oops"), Unavailable("the target does not answer")):
        world.runs.error = error
        world.time.passes(minutes=50)
        daemon.tick()
        world.await_idle(daemon)
    assert world.rows()["hourly 01:00"].detail == "ZeroDivisionError: oops"
    assert world.rows()["hourly 02:00"].detail == "the target does not answer"
    assert "ended with a defect" in caplog.text


def test_draining_starts_nothing_more(world: World) -> None:
    daemon = world.daemon()
    daemon.drain()
    world.time.passes(minutes=30)
    daemon.tick()
    assert world.states() == {}


def test_a_schedule_that_does_not_want_pages_has_none(launch: Launch, tmp_path: Path) -> None:
    world = launch(write_plan(tmp_path, more="incident: {missed: false}"))
    world.daemon().tick()
    world.time.passes(hours=3)
    world.daemon().tick()
    assert "missed" in world.states().values()
    assert told(world.store) == []


def test_a_long_absence_is_made_up_for_over_several_ticks(world: World) -> None:
    world.daemon().tick()
    world.time.passes(days=20, minutes=10)
    daemon = world.daemon()
    ticks = 0
    while not daemon.idle or ticks == 0:
        daemon.tick()
        ticks += 1
    assert ticks == 3
    assert sum(world.store.occurrences.counts().values()) == 480


def occurrence_of(world: World, daemon: Daemon, verdict: Verdict) -> None:
    """The next hour's occurrence comes, runs and ends with a verdict."""
    world.runs.verdict = verdict
    world.time.passes(hours=1)
    daemon.tick()
    world.let_finish(daemon)


def severities(store: Store) -> list[str]:
    return [
        IncidentEvent.from_json(each.message.body).severity
        for each in store.outbox.messages(newest_first=False)
        if each.message.kind == "trigger" and each.message.sink == "pagerduty"
    ]


def test_a_month_that_proved_nothing_is_told_and_the_second_is_louder(world: World) -> None:
    daemon = world.daemon()
    for verdict in (Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS):
        occurrence_of(world, daemon, verdict)
    key = "seatrial/staging/schedule.hourly"
    assert told(world.store) == [f"trigger {key}"] * 3 + [f"resolve {key}"] * 2
    assert severities(world.store) == ["warning", "error"]
    occurrence_of(world, daemon, Verdict.UNKNOWN)
    assert severities(world.store)[-1] == "warning"  # a row of its own


@pytest.mark.parametrize(("declared", "severity"), [("critical", ["critical"]), ("false", [])])
def test_a_schedule_says_how_loud_an_unknown_is(
    launch: Launch, tmp_path: Path, declared: str, severity: list[str]
) -> None:
    world = launch(write_plan(tmp_path, more=f"incident: {{unknown: {declared}}}"))
    occurrence_of(world, world.daemon(), Verdict.UNKNOWN)
    assert severities(world.store) == severity


def test_a_suite_that_failed_still_tells_what_in_it_proved_nothing(world: World) -> None:
    failed, unknown = result(Verdict.FAIL), replace(result(Verdict.UNKNOWN), experiment="eviction")
    whole = Outcome.of_suite(SuiteResult("monthly", "", (failed, unknown), (), Path("runs/monthly-1")))
    daemon = Daemon(
        world.store, lambda: world.schedules, lambda *_: whole, world.time.clock, Options(KEPT), since=START
    )
    world.time.passes(minutes=30)
    daemon.tick()
    world.await_idle(daemon)
    row = world.rows()["hourly 01:00"]
    assert (row.verdict, row.detail.count("; ")) == ("fail", 1)
    (message,) = world.store.outbox.messages()
    event = IncidentEvent.from_json(message.message.body)
    assert event.severity == "warning"
    assert "proved nothing: eviction: " in event.summary


@pytest.mark.parametrize("by_hand", [True, False])
def test_only_a_person_at_a_terminal_ends_a_run_in_silence(world: World, *, by_hand: bool) -> None:
    daemon = world.daemon()
    world.time.passes(minutes=30)
    daemon.tick()
    daemon.abort_all("the daemon was told to stop, twice", by_hand=by_hand)
    world.await_idle(daemon)
    assert world.states() == {"hourly 01:00": "interrupted"}
    assert told(world.store) == ([] if by_hand else ["trigger seatrial/staging/schedule.hourly"])


def test_files_that_cannot_be_used_are_told_at_once_and_once(world: World) -> None:
    found: dict[str, list[Problem]] = {"hourly": [Problem("unknown key 'laod'", Location("x.yaml", 2, 1))]}
    key = "seatrial/staging/schedule.hourly.files"
    clock = world.time.clock

    def daemon() -> Daemon:
        return Daemon(
            world.store,
            lambda: world.schedules,
            world.runs,
            clock,
            Options(KEPT),
            since=START,
            problems=lambda: found,
        )

    first = daemon()
    first.tick()
    first.tick()
    daemon().tick()  # another, or the same after a restart
    assert told(world.store) == [f"trigger {key}"]
    found.clear()
    first.tick()
    assert told(world.store) == [f"trigger {key}", f"resolve {key}"]
    world.time.passes(seconds=5)
    found["hourly"] = [Problem("something else")]
    first.tick()
    assert told(world.store)[-1] == f"trigger {key}"


def test_nothing_but_blackouts_for_months_is_told_once(launch: Launch, tmp_path: Path) -> None:
    more = "windows: {never: [{dates: 2026-03-01 to 2027-03-01, why: freeze}]}"
    plan_file = write_plan(tmp_path, more=more).file
    plan_file.write_text(plan_file.read_text().replace("0 * * * *", "@monthly"))
    world = launch(load_schedule(plan_file))
    daemon = world.daemon()
    spoken = []
    for _ in range(6):
        world.time.passes(days=31)
        daemon.tick()
        spoken.append(len(told(world.store)))
    assert set(world.states().values()) == {"skipped"}
    assert spoken == [0, 0, 1, 1, 1, 1]  # April, May: as it should be; June
    event = IncidentEvent.from_json(world.store.outbox.messages()[0].message.body)
    assert event.severity == "warning"
    assert (
        "the run planned for 2026-06-01 00:00 UTC was skipped, as the 2 before it: never: freeze"
        in event.summary
    )
