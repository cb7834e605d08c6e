"""A dashboard that listens, in this process; and a run database of years."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from tests.support.results import CRASH, OUTAGE, ROLLBACK, measurement, result
from tests.support.waiting import wait_until

from seatrial.incidents.event import IncidentEvent, Kind, dedup_key
from seatrial.model.result import Latency, ObjectiveResult, RunResult
from seatrial.model.verdict import Verdict
from seatrial.store import Origin, OutboxMessage, Store
from seatrial.store.schema import occurrences
from seatrial.web.app import Dashboard
from seatrial.web.serving import Address, bind, server

_EXPERIMENTS = [f"experiment-{number:02d}" for number in range(20)]
_SCHEDULES = [f"schedule-{number}" for number in range(8)]
_TARGETS = ("testbed", "staging", "production")


@contextmanager
def listening(dashboard: Dashboard) -> Iterator[str]:
    """Its address, without a slash at the end."""
    with bind(Address("127.0.0.1", 0)) as socket:
        port = socket.getsockname()[1]
        serving = server(dashboard.app())
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [socket]})
        thread.start()
        try:
            wait_until(lambda: serving.started, 10.0, "the dashboard listens")
            yield f"http://127.0.0.1:{port}"
        finally:
            serving.should_exit = True
            thread.join(20)


def years(store: Store, runs: int, planned: int, seed: int = 1) -> None:
    """So many runs over three years, occurrences, and an incident of every fourth failed run."""
    chance, now = random.Random(seed), datetime.now(UTC)
    with store.database.writing() as connection:
        for number in range(runs):
            at = now - timedelta(days=1095) * (1 - number / runs)
            came = _run(chance, number, at)
            store.runs.add(connection, came, at, Origin(directory=f"/srv/runs/{came.run}", rate="10000/min"))
            if came.verdict is Verdict.FAIL and number % 4 == 0:
                store.outbox.add(connection, [message(came, str(number))], at)
        for start in range(0, planned, 5000):
            rows = [_occurrence(chance, now, number) for number in range(start, min(start + 5000, planned))]
            connection.execute(sa.insert(occurrences), rows)


def _run(chance: random.Random, number: int, at: datetime) -> RunResult:
    verdict = chance.choices((Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN), (8, 1, 1))[0]
    lower = {Verdict.PASS: 1.0, Verdict.FAIL: 6.0, Verdict.UNKNOWN: 4.0}[verdict] + chance.random() / 2
    latency = Latency(p50_ms=10, p90_ms=20, p95_ms=40 + chance.random(), p99_ms=90, max_ms=150, answers=5990)
    experiment, target = chance.choice(_EXPERIMENTS), chance.choice(_TARGETS)
    return replace(
        result(verdict, number, experiment=experiment, target=target, steps=(CRASH, ROLLBACK)),
        run=f"{at:%Y%m%dT%H%M%SZ}-{experiment}-{number}",
        started_at=at.isoformat(),
        title="The primary is killed at peak traffic",
        measurement=replace(measurement(*[OUTAGE] * 3), latency=latency),
        covers=(f"ADR-00{number % 7}",),
        objectives=tuple(
            ObjectiveResult(name, 5.0, lower, lower + 1.5, "s", verdict)
            for name in ("downtime after crash", "recovery after crash", "downtime after rollback")
        ),
    )


def message(came: RunResult, cause: str) -> OutboxMessage:
    """That a run has failed, for the webhook."""
    key, told = dedup_key(came.target, came.experiment), f"{came.experiment} failed on {came.target}"
    return IncidentEvent(Kind.TRIGGER, key, came.started_at, told, came.target, came.experiment, came.run).to(
        "webhook", cause
    )


def _occurrence(chance: random.Random, now: datetime, number: int) -> dict[str, object]:
    at = now - timedelta(minutes=15 * (number // len(_SCHEDULES) + 1))
    state = chance.choices(("run", "missed", "skipped", "interrupted"), (90, 4, 4, 2))[0]
    return {
        "schedule": _SCHEDULES[number % len(_SCHEDULES)], "planned_at": at, "target": "testbed", "state": state,
        "due_at": at, "claim": "", "daemon": "host:1", "beat": 3, "claimed_at": at, "ended_at": at, "run": "",
        "verdict": "pass" if state == "run" else "", "detail": "" if state == "run" else "in the blackout",
    }  # fmt: skip
