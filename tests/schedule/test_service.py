"""What wakes the daemon, what runs beside it, and how it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.pagerduty_double import ROUTING_KEY, PagerDutyDouble
from tests.support.results import result
from tests.support.schedule_world import World, outcome, write_plan
from tests.support.signals import dispositions, heeded
from tests.support.sinks import pagerduty
from tests.support.waiting import wait_until

from seatrial.incidents import IncidentSettings, Reporter
from seatrial.model.problems import BadInput, Location, Problem, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.schedule.commands import StartOptions, history, start, stopped_by_signals
from seatrial.schedule.execution import Outcome
from seatrial.schedule.loading import LoadedSchedule, Review, load_schedule
from seatrial.schedule.service import Companions, Service
from seatrial.store import Occurrence, Store

TICK_S = 0.02


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as opened:
        yield opened


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Iterator[World]:
    running = World(store, write_plan(tmp_path))
    running.time.passes(minutes=30)
    yield running
    running.runs.go.set()


@pytest.fixture
def serve() -> Iterator[Callable[[Service], threading.Thread]]:
    """Run services in threads; they are stopped at the end."""
    started: list[tuple[Service, threading.Thread]] = []

    def start(service: Service) -> threading.Thread:
        thread = threading.Thread(target=service.run)
        started.append((service, thread))
        thread.start()
        return thread

    yield start
    for service, thread in started:
        service.stop()
        service.stop()
        thread.join(20)
        assert not thread.is_alive()


Serve = Callable[[Service], threading.Thread]


def test_it_wakes_by_itself_and_a_stop_lets_the_run_finish(world: World, serve: Serve) -> None:
    service = Service(world.daemon(), TICK_S)
    thread = serve(service)
    wait_until(lambda: world.runs.started)
    service.stop()
    world.runs.go.set()
    thread.join(20)
    assert world.states() == {"hourly 01:00": "run"}


def test_a_second_stop_aborts_and_undoes(world: World, serve: Serve) -> None:
    service = Service(world.daemon(), TICK_S)
    thread = serve(service)
    wait_until(lambda: world.runs.started)
    service.stop()
    service.stop()
    thread.join(20)
    row = world.rows()["hourly 01:00"]
    assert (row.state, row.detail) == ("interrupted", "the daemon was told to stop, twice")


def test_a_run_that_does_not_finish_in_time_is_aborted(world: World, serve: Serve) -> None:
    service = Service(world.daemon(), TICK_S, drain_s=0.1)
    thread = serve(service)
    wait_until(lambda: world.runs.started)
    service.stop()
    thread.join(20)
    assert "told to stop 0.1 s ago" in world.rows()["hourly 01:00"].detail


def test_a_waker_that_the_clock_put_to_sleep_is_woken(world: World, serve: Serve) -> None:
    service = Service(world.daemon(), TICK_S)
    jobs: list[Any] = []
    rearm = service.rearm

    def sleepy(job: Any) -> None:
        if not jobs:
            jobs.append(job)
            job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))  # the clock was set back
        rearm(job)

    service.__class__ = type("Watched", (Service,), {"rearm": staticmethod(sleepy), "__slots__": ()})
    serve(service)
    wait_until(lambda: jobs)
    world.time.passes(hours=1)  # only a tick after the sleep can see this one
    world.runs.go.set()
    wait_until(lambda: "hourly 02:00" in world.states())


def test_once_runs_what_is_due_and_ends(world: World) -> None:
    world.runs.go.set()
    Service(world.daemon(), TICK_S).run_once()
    assert world.states() == {"hourly 01:00": "run"}
    Service(world.daemon(), TICK_S).run_once()
    assert world.runs.started == ["hourly 01:00"]


def test_start_once_sees_what_came_due_before_it_was_woken(store: Store, tmp_path: Path) -> None:
    write_plan(tmp_path)
    schedule = tmp_path / "hourly.yaml"
    schedule.write_text(schedule.read_text().replace('"0 * * * *"', '"* * * * *"'))
    started: list[str] = []

    def execute(loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
        started.append(loaded.runs.name)
        return outcome(Verdict.PASS)

    start([schedule], store, execute, StartOptions(once=True, tick_s=TICK_S), IncidentSettings())
    assert started == ["x.yaml"]
    newest, *older = history(store, "hourly")
    assert newest.state == "run"
    assert {row.state for row in older} == {"missed"}
    assert "it was late, and the next one is due" in older[0].detail


def test_once_does_not_wait_for_ever(world: World, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = world.daemon()

    def refuse(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(store.database, "writing", refuse)
    with pytest.raises(Unavailable, match="nothing was started"):
        Service(daemon, TICK_S).run_once(patience_s=0.1)


def test_the_companions_deliver_and_look_after_what_is_neglected(store: Store, tmp_path: Path) -> None:
    write_plan(tmp_path)
    plan_file = tmp_path / "hourly.yaml"
    plan_file.write_text(plan_file.read_text() + "incident: {escalate: {unacknowledged: 1h}}\n")
    (tmp_path / "staging.target.yaml").write_text("target: testbed\n")
    loaded = load_schedule(plan_file)
    with PagerDutyDouble() as double:
        settings = pagerduty(double.url)
        Reporter(store, settings).finished(result())
        soon = datetime.now(UTC) + timedelta(hours=2)
        with Companions(store, settings, lambda: [loaded], now=lambda: soon, look_every_s=0.05):
            wait_until(lambda: double.alerts and len(double.alerts[0].log) == 2)
        severities = [event["payload"]["severity"] for event in double.alerts[0].log]
    assert severities == ["error", "critical"]


def test_what_is_off_is_said_and_the_rest_is_delivered_at_the_end(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with PagerDutyDouble() as double:
        settings = pagerduty(double.url, ESCALATION_KEY="")
        with Companions(store, settings, list):
            Reporter(store, settings).finished(result())
        assert len(double.alerts) == 1
    assert "pagerduty-escalation is off: SEATRIAL_PAGERDUTY_ESCALATION_KEY is not set" in caplog.text
    assert ROUTING_KEY not in repr(settings)


def test_it_does_not_start_with_files_that_cannot_be_used_and_tells_so(store: Store, tmp_path: Path) -> None:
    loaded = write_plan(tmp_path)
    problem = Problem("unknown key 'laod'", Location("x.yaml", 2, 1))

    def refuse(loaded: LoadedSchedule, occurrence: Occurrence, abort: threading.Event) -> Outcome:
        raise AssertionError("nothing may be started")

    for _ in range(2):  # as a supervisor would
        with pytest.raises(BadInput, match=r"^x\.yaml:2:1: unknown key 'laod'$"):
            start(
                [loaded.file],
                store,
                refuse,
                StartOptions(once=True),
                IncidentSettings(),
                review=lambda _: Review((), (problem,)),
            )
    (message,) = store.outbox.messages()
    assert message.message.dedup_key == "seatrial/staging/schedule.hourly.files"
    start(
        [loaded.file],
        store,
        lambda *_: outcome(Verdict.PASS),
        StartOptions(once=True, tick_s=0.02),
        IncidentSettings(),
    )
    kinds = [
        each.message.kind for each in store.outbox.messages() if each.message.dedup_key.endswith(".files")
    ]
    assert kinds == ["resolve", "trigger"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_person_who_stops_it_twice_is_the_only_one_to_be_told(
    world: World, serve: Serve, *, by_hand: bool
) -> None:
    service = Service(world.daemon(), TICK_S)
    thread = serve(service)
    wait_until(lambda: world.runs.started)
    service.stop(by_hand=by_hand)
    service.stop(by_hand=by_hand)
    thread.join(20)
    assert world.states() == {"hourly 01:00": "interrupted"}
    assert len(world.store.outbox.messages()) == (0 if by_hand else 1)


ENDING = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


def test_the_end_of_the_terminal_stops_a_daemon_and_only_a_person_or_a_supervisor_hurries_it(
    world: World,
) -> None:
    service = Service(world.daemon())
    with heeded(*ENDING), stopped_by_signals(service):
        signal.raise_signal(signal.SIGHUP)
        assert service.asked == "stop"
        signal.raise_signal(signal.SIGHUP)
        assert service.asked == "stop"
        signal.raise_signal(signal.SIGTERM)
        assert service.asked == "hurry"


def test_a_daemon_under_nohup_outlives_its_terminal(world: World) -> None:
    service = Service(world.daemon())
    with dispositions(signal.SIG_IGN, *ENDING), stopped_by_signals(service):
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGINT)
        assert service.asked == ""
        signal.raise_signal(signal.SIGTERM)
        assert service.asked == "stop"
