"""The shipped scenarios of other protocols, each on a real server that stalls, is killed, and comes back.

0 s       0.8     1.2       1.6      2.0 …                  5 s
├── well ──┤ stopped ├── well ──┤ killed ├─ started ─┤ back ──┤
             └ what is due is sent all the same, and its wait is its latency
                                   └ and here nobody is there: the outage, held against the server's own
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.protocol_servers import Server, answering, database, mosquitto, valkey
from tests.support.rows import read_log
from tests.support.small_run import SmallRun, small_run
from tests.support.waiting import wait_until

from seatrial.model.ownfailure import is_ours
from seatrial.model.requestlog import RequestLog

pytestmark = pytest.mark.e2e

SCENARIOS = Path(__file__).parents[2] / "loadtests" / "protocols"
RATE, LOAD = 100, "rate: 100/s, deadline: 1s"


@dataclass(frozen=True)
class Protocol:
    """A scenario, the variable that tells it the address, and what its requests are called."""

    scenario: str
    variable: str
    server: Callable[[Path], Server | None]
    names: frozenset[str]
    writes: str = ""  # the one of them that has a key

    def __str__(self) -> str:
        return self.scenario.removesuffix(".py")


@dataclass(frozen=True)
class Course:
    """What happened to the server, and when: seconds after zero."""

    stopped_s: float
    goes_on_s: float
    dying_s: float
    dead_s: float
    starting_s: float
    back_s: float


PROTOCOLS = [
    Protocol(
        "websocket_echo.py", "WEBSOCKET_URL", lambda _: answering("websocket", "ws://{}/"),
        frozenset({"connect", "echo"}),
    ),
    Protocol("grpc_health.py", "GRPC_ADDRESS", lambda _: answering("grpc", "{}"), frozenset({"Health/Check"})),
    Protocol(
        "sql_orders.py", "DATABASE_URL", database,
        frozenset({"connect", "INSERT order", "SELECT order"}), "INSERT order",
    ),
    Protocol(
        "redis_sessions.py", "REDIS_URL", valkey, frozenset({"SET session", "GET session"}), "SET session"
    ),
    Protocol(
        "mqtt_readings.py", "MQTT_URL", lambda _: mosquitto(),
        frozenset({"CONNECT", "PUBLISH reading"}), "PUBLISH reading",
    ),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=str)
def test_it_is_sent_on_time_whatever_the_server_does_and_its_outage_is_measured(
    protocol: Protocol, tmp_path: Path
) -> None:
    server = protocol.server(tmp_path)
    if server is None:
        pytest.skip("no MQTT broker on this machine: apt-get install mosquitto")
    scenario = (SCENARIOS / protocol.scenario).read_text()
    with server, small_run(tmp_path, "5s", scenario=scenario, load=LOAD) as run:
        with (tmp_path / "target.yaml").open("a") as target:
            target.write(f"variables: {{{protocol.variable}: '{server.address}'}}\n")
        verdict, course = carried_out(run, server)
    log = read_log(run.evidence() / "requests.parquet").sorted()
    assert verdict["generator"]["scenario_errors"] == 0, verdict["reasons"]
    assert set(log.name.texts()) == protocol.names
    assert_only_writes_have_keys(log, protocol.writes)
    assert log.ok[log.ended < course.stopped_s].all(), set(log.error.texts())
    assert_nobody_waited_for_another(log, course)
    assert_the_outage_is_the_servers(verdict, log, course)


def carried_out(run: SmallRun, server: Server) -> tuple[dict[str, Any], Course]:
    """What came of the run, and what was done to the server meanwhile."""
    with subprocess.Popen(
        run.command, cwd=run.directory, env=run.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_until(lambda: "load.zero" in run.events(), within_s=60)
            course = mistreated(server, zero_of(run))
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    verdict: dict[str, Any] = json.loads(said)
    return verdict, course


def zero_of(run: SmallRun) -> float:
    (journal,) = run.directory.glob("runs/*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    (zero,) = (event["zero_mono_s"] for event in events if event["event"] == "load.zero")
    return float(zero)


def mistreated(server: Server, zero_mono_s: float) -> Course:
    """Stop it and let it go on, then kill it and start it."""

    def at(instant_s: float = 0.0) -> float:
        time.sleep(max(0.0, instant_s - (time.monotonic() - zero_mono_s)))  # part of the course, not a wait
        return time.monotonic() - zero_mono_s

    at(0.8)
    with server.stalled():
        stopped_s = at()
        goes_on_s = at(stopped_s + 0.4)
    dying_s = at(goes_on_s + 0.4)
    server.kill()
    dead_s = at()
    starting_s = at(dead_s + 0.4)
    server.start()
    return Course(stopped_s, goes_on_s, dying_s, dead_s, starting_s, at())


def assert_only_writes_have_keys(log: RequestLog, writes: str) -> None:
    assert log.keys is not None
    written = log.name.equals(writes)
    assert all(key is None for key in log.keys[~written])
    keys = list(log.keys[written])
    assert all(keys)
    assert len(set(keys)) == len(keys)


def assert_nobody_waited_for_another(log: RequestLog, course: Course) -> None:
    """What was due in the first half of the stall was sent in it, and answered after it."""
    half_s = (course.stopped_s + course.goes_on_s) / 2
    number = log.intended * RATE
    due = np.abs(number - number.round()) < 1e-6  # an arrival's own; a second request is due when it is sent
    due &= (log.intended > course.stopped_s) & (log.intended < half_s)
    assert due.sum() == np.ceil(half_s * RATE) - np.floor(course.stopped_s * RATE) - 1
    assert (log.sent[due] < course.goes_on_s).all()
    assert not (log.ended[due] < course.goes_on_s).any()


def assert_the_outage_is_the_servers(verdict: dict[str, Any], log: RequestLog, course: Course) -> None:
    crash = [each for each in verdict["outages"] if course.dying_s - 1.0 < each["start_s"] < course.back_s]
    outage = max(crash, key=lambda each: int(each["bad"]))
    shortest, longest = course.starting_s - course.dead_s, course.back_s - course.dying_s
    assert 0.1 < outage["server"]["lower_s"] <= longest
    assert shortest <= outage["server"]["upper_s"]
    errors = {error for error, ok in zip(log.error.texts(), log.ok, strict=True) if not ok}
    assert any("connection refused" in error for error in errors), errors
    assert not any(not error or is_ours(error) for error in errors), errors
    assert log.ok[log.intended > course.back_s].any(), "it was back, and nobody noticed"
