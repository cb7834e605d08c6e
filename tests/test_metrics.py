"""Metrics, alert rules and dashboard, judged by Prometheus itself."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.support.results import (
    COST,
    CRASH,
    MISSED,
    NOTICED,
    OUTAGE,
    ROLLBACK,
    START,
    measurement,
    result,
    unverified,
)
from tests.support.schedule_world import write_plan
from tests.support.waiting import wait_until

from seatrial.incidents import IncidentSettings, Reporter
from seatrial.metrics import StoreCollector, alert_rules, dashboard, listen, write_textfile
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.result import Bounds
from seatrial.model.verdict import Verdict
from seatrial.store import Occurrence, OccurrenceEnding, OccurrenceState, Store

ROOT = Path(__file__).parents[1]
NOW = START + timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as opened:
        yield opened


def samples(collector: StoreCollector) -> dict[str, float]:
    """Each sample by its name and labels."""
    registry = CollectorRegistry()
    registry.register(collector)
    lines = generate_latest(registry).decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def collector(store: Store, **more: Any) -> StoreCollector:
    return StoreCollector(store, lambda: NOW, **more)


def test_what_the_latest_run_measured(store: Store) -> None:
    store.record(result(Verdict.PASS, 1), [], NOW)
    store.record(result(Verdict.FAIL, 2, steps=(unverified(),)), [], NOW)
    found = samples(collector(store))
    of = 'experiment="database-crash",target="testbed"'
    assert found[f"seatrial_downtime_lower_seconds{{{of}}}"] == 7.2
    assert found[f"seatrial_downtime_upper_seconds{{{of}}}"] == 7.6
    assert found[f'seatrial_run_verdict{{{of},verdict="fail"}}'] == 1
    assert found[f'seatrial_run_verdict{{{of},verdict="pass"}}'] == 0
    objective = 'seatrial_objective_verdict{experiment="database-crash",objective="downtime after crash",target="testbed",verdict="fail"}'
    assert found[objective] == 1
    assert found[f"seatrial_faults_not_undone{{{of}}}"] == 1
    assert found[f"seatrial_generator_lateness_p99_seconds{{{of}}}"] == 0.0004
    assert (
        found[f"seatrial_last_success_timestamp_seconds{{{of}}}"] == (START + timedelta(hours=1)).timestamp()
    )
    assert found[f"seatrial_last_run_timestamp_seconds{{{of}}}"] == (START + timedelta(hours=2)).timestamp()


def test_who_noticed_and_what_it_cost(store: Store) -> None:
    """Of what nobody measured, and of a target without prices, there is no sample."""
    store.record(replace(result(number=1), detections=(NOTICED,), cost=COST), [], NOW)
    store.record(replace(result(number=2, experiment="deploy"), detections=(MISSED,)), [], NOW)
    found = {name: value for name, value in samples(collector(store)).items() if "downtime" not in name}
    of = 'experiment="database-crash",step="crash",target="testbed"'
    other = 'experiment="deploy",step="crash",target="testbed"'
    priced = 'currency="EUR",experiment="database-crash",target="testbed"'
    noticed = 'alert="MemberDown",experiment="database-crash",step="crash",target="testbed"'
    told = {name: value for name, value in found.items() if "_lower" in name or "_upper" in name}
    assert told == {
        f"seatrial_detection_lower_seconds{{{noticed}}}": 0.3,
        f"seatrial_detection_upper_seconds{{{noticed}}}": 0.9,
        f"seatrial_recovery_lower_seconds{{{of}}}": 1.1,
        f"seatrial_recovery_upper_seconds{{{of}}}": 1.4,
        f"seatrial_recovery_lower_seconds{{{other}}}": 1.1,
        f"seatrial_recovery_upper_seconds{{{other}}}": math.inf,
        f"seatrial_run_cost_lower{{{priced}}}": 0.002,
        f"seatrial_run_cost_upper{{{priced}}}": 0.0021,
        f"seatrial_million_requests_cost_lower{{{priced}}}": 1.9,
        f"seatrial_million_requests_cost_upper{{{priced}}}": 2.0,
    }


def test_what_was_not_measured_is_no_metric_and_an_outage_without_end_is_infinite(store: Store) -> None:
    unsent = replace(measurement().generator, sent=0, dropped=6000, late_p99_ms=None, late_max_ms=None)
    nothing = replace(result(), measurement=replace(measurement(OUTAGE), generator=unsent))
    store.record(nothing, [], NOW)
    found = samples(collector(store))
    of = 'experiment="database-crash",target="testbed"'
    assert f"seatrial_downtime_upper_seconds{{{of}}}" not in found
    assert f"seatrial_generator_lateness_p99_seconds{{{of}}}" not in found
    assert found[f"seatrial_generator_dropped_arrivals{{{of}}}"] == 6000
    endless = replace(OUTAGE, perceived=Bounds(7.2, math.inf))
    store.record(replace(result(number=2), measurement=measurement(endless, OUTAGE)), [], NOW)
    assert samples(collector(store))[f"seatrial_downtime_upper_seconds{{{of}}}"] == math.inf


def test_what_is_left_behind_is_counted_be_it_a_fault_or_an_action(store: Store) -> None:
    steps = (CRASH, unverified(), unverified(ROLLBACK))
    store.record(result(Verdict.FAIL, steps=steps), [], NOW)
    of = 'experiment="database-crash",target="testbed"'
    assert samples(collector(store))[f"seatrial_faults_not_undone{{{of}}}"] == 2


def test_occurrences_are_counted_and_known_schedules_begin_at_zero(store: Store) -> None:
    occurrence = Occurrence("monthly", NOW, NOW, "testbed")
    store.occurrences.close(occurrence, OccurrenceEnding(OccurrenceState.MISSED), NOW)
    found = samples(collector(store, schedules=lambda: ["weekly"], open_faults=lambda: 3))
    assert found['seatrial_occurrences_total{outcome="missed",schedule="monthly"}'] == 1
    assert found['seatrial_occurrences_total{outcome="missed",schedule="weekly"}'] == 0
    assert found['seatrial_occurrences_since_pass{schedule="monthly"}'] == 1
    assert found['seatrial_occurrences_since_pass{schedule="weekly"}'] == 0
    assert found["seatrial_faults_active"] == 3
    assert found["seatrial_store_up"] == 1


def test_the_outbox_counts_only_what_should_have_been_delivered(store: Store) -> None:
    reporter = Reporter(store, IncidentSettings(), now=lambda: NOW - timedelta(minutes=20))
    for number in range(3):
        reporter.finished(result(Verdict.FAIL, number))
    found = samples(collector(store, sinks_off=["pagerduty-escalation"]))
    assert found['seatrial_outbox_messages{sink="pagerduty",state="pending"}'] == 6
    assert found['seatrial_outbox_oldest_age_seconds{sink="pagerduty"}'] == 1200
    assert not [name for name in found if "escalation" in name]


def test_a_database_that_is_away_is_said_and_nothing_else_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Unavailable("away")

    monkeypatch.setattr(store.database, "reading", refuse)
    assert samples(collector(store)) == {"seatrial_store_up": 0.0}


def test_a_textfile_is_written_whole_or_refused(store: Store, tmp_path: Path) -> None:
    write_textfile(collector(store), tmp_path / "seatrial.prom")
    assert "seatrial_store_up 1.0" in (tmp_path / "seatrial.prom").read_text()
    with pytest.raises(BadInput, match="cannot write metrics"):
        write_textfile(collector(store), tmp_path / "nowhere" / "seatrial.prom")


def test_it_listens_and_says_when_it_cannot(store: Store) -> None:
    with listen(collector(store), "127.0.0.1", 0) as port:
        assert "seatrial_store_up 1.0" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
        with (
            pytest.raises(Unavailable, match="cannot serve metrics"),
            listen(collector(store), "127.0.0.1", port),
        ):
            pass


def test_rules_and_dashboard_name_only_metrics_that_exist(store: Store) -> None:
    store.record(result(steps=(unverified(),)), [], NOW)
    Reporter(store, IncidentSettings()).finished(result(Verdict.FAIL, 2))
    store.occurrences.close(Occurrence("s", NOW, NOW, "t"), OccurrenceEnding(OccurrenceState.MISSED), NOW)
    store.record(replace(result(Verdict.PASS, 3), detections=(NOTICED,), cost=COST), [], NOW)
    known = {name.partition("{")[0] for name in samples(collector(store, open_faults=lambda: 0))}
    used = set(re.findall(r"\bseatrial_\w+", alert_rules() + dashboard()))
    assert used - known == set()


def test_the_dashboard_can_be_imported_anywhere() -> None:
    model = json.loads(dashboard())
    assert (model["id"], model["uid"]) == (None, "seatrial-overview")
    assert model["templating"]["list"][0]["type"] == "datasource"
    assert {panel["datasource"]["uid"] for panel in model["panels"]} == {"${datasource}"}
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])


def promtool(*arguments: str) -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_accepts_the_rules_and_they_fire_when_they_should(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(alert_rules())
    assert "8 rules found" in promtool("check", "rules", str(tmp_path / "rules.yaml"))
    for name in ("alert_rules_test.yaml", "alert_rules_days_test.yaml"):
        shutil.copy(ROOT / "tests" / "support" / name, tmp_path)
        assert "SUCCESS" in promtool("test", "rules", str(tmp_path / name))


def test_promtool_finds_nothing_to_complain_about_in_the_metrics(store: Store) -> None:
    store.record(result(), [], NOW)
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    registry = CollectorRegistry()
    registry.register(collector(store))
    linted = subprocess.run(
        [program, "check", "metrics"], input=generate_latest(registry), capture_output=True, check=False
    )
    assert linted.stderr.decode() == ""


@pytest.mark.e2e
def test_a_real_prometheus_scrapes_the_daemon_which_ends_gracefully(tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed (Debian: prometheus)")
    write_plan(tmp_path)
    schedule = tmp_path / "hourly.yaml"
    every_minute = '{cron: "* * * * *"}\nmissed: run-late within 1h'
    text = schedule.read_text().replace('{cron: "0 * * * *"}', every_minute)
    schedule.write_text(text.replace("missed: run-late within 30m\n", ""))
    url = f"sqlite:///{tmp_path}/s.sqlite"
    with Store(url) as store:  # known for an hour: something is due at once
        store.occurrences.register("hourly", datetime.now(UTC) - timedelta(minutes=2))
    command = [sys.executable, "-m", "tests.support.schedule_start", url, str(schedule)]
    with (tmp_path / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(command, cwd=ROOT, stderr=log)
    try:
        port = _said(tmp_path / "daemon.log", r"served at http://127\.0\.0\.1:(\d+)")
        _said(tmp_path / "daemon.log", r"(running) hourly")
        with _prometheus(program, tmp_path, port) as prometheus:
            assert _query(prometheus, "seatrial_faults_active") == 2
            assert _query(prometheus, 'seatrial_occurrences_running{schedule="hourly"}') == 1
        daemon.send_signal(signal.SIGTERM)
        _said(tmp_path / "daemon.log", "(asked to stop)")
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    finally:
        daemon.kill()
        daemon.wait()
    with Store(url) as store:
        row = store.occurrences.history("hourly")[0]
    assert (row.state, row.detail) == ("interrupted", "the daemon was told to stop, twice")


def _said(log: Path, pattern: str) -> str:
    wait_until(lambda: re.search(pattern, log.read_text()), within_s=30, what=f"says {pattern} in {log}")
    found = re.search(pattern, log.read_text())
    assert found is not None
    return found[1]


class _prometheus:  # noqa: N801  # used as a function
    """A Prometheus that scrapes one port."""

    def __init__(self, program: str, directory: Path, scraped: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        configuration = {
            "global": {"scrape_interval": "200ms"},
            "scrape_configs": [
                {"job_name": "seatrial", "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}
            ],
        }
        file = directory / "prometheus.yml"
        file.write_text(json.dumps(configuration))
        self._url = f"http://127.0.0.1:{port}"
        self._command = [
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={directory}/tsdb",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]

    def __enter__(self) -> str:
        self._process = subprocess.Popen(self._command)
        return self._url

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _query(url: str, expression: str) -> float:
    found: list[dict[str, Any]] = []

    def answered() -> bool:
        with contextlib.suppress(httpx.TransportError, KeyError, ValueError):
            found[:] = httpx.get(f"{url}/api/v1/query", params={"query": expression}).json()["data"]["result"]
        return bool(found)

    wait_until(answered, within_s=30, what=f"Prometheus has {expression}")
    return float(found[0]["value"][1])
