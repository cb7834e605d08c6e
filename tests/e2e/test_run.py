"""Whole runs, as a user starts them: what is measured, what is left behind, what an interrupt does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest
import yaml
from tests.support.edge_log import answers_of
from tests.support.signals import heeded
from tests.support.waiting import wait_until

from seatrial.drivers.haproxy import ByMap
from seatrial.testbed import TestbedState

pytestmark = pytest.mark.e2e

ROLLBACK = """\
experiment: rollback
load: {scenario: loadtests/storefront.py, rate: 10000/min}
warmup: 2s
duration: 8s
timeline:
  - {at: 2s, action: deploy.switch, on: edge, name: switch}
  - {at: 4s, action: deploy.rollback, on: edge, name: rollback}
objectives:
  downtime: {max: 5s, after: rollback}
checks:
  - served-by: {release: blue, last: 2s}
  - acknowledged-writes
"""
COLD = """\
experiment: cold
load: {scenario: loadtests/storefront.py, rate: 6000/min}
warmup: 1s
duration: 10s
timeline:
  - {at: 1s, action: deploy.switch, on: edge, name: switch}
  - {at: 2s, action: release.stop, on: release.blue, name: switch-off}
  - {at: 4s, action: deploy.rollback, on: edge, name: rollback}
  - {at: 4s, action: release.start, on: release.blue, name: cold-start}
objectives:
  downtime: {max: 10ms, after: rollback}
"""
GUARDED = """\
experiment: guarded
load: {scenario: loadtests/storefront.py, rate: 6000/min, deadline: 500ms}
warmup: 1s
duration: 25s
timeline:
  - {at: 2s, fault: process.pause, on: edge.process, for: 20s, name: freeze}
objectives:
  downtime: {max: 30s}
guards:
  - {errors: 50%, for: 1s}
"""


@dataclass
class Desk:
    """A working directory from which commands are given to one testbed."""

    directory: Path
    testbed: TestbedState

    @property
    def home(self) -> Path:
        return self.testbed.root.parent

    @property
    def live(self) -> ByMap:
        edge = yaml.safe_load(self.testbed.target.read_text())["roles"]["edge"]
        return ByMap(Path(edge["socket"]), edge["map"], "active")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "SEATRIAL_HOME": str(self.home), "COLUMNS": "160"}
        with heeded(signal.SIGINT):
            return subprocess.Popen(
                [sys.executable, "-m", "seatrial", *arguments], cwd=self.directory, env=environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip

    def exit_code(self, *arguments: str) -> int:
        process = self.start(*arguments)
        process.communicate(timeout=60)
        return process.returncode

    def run(self, experiment: str, *options: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, verdict.json, what was said."""
        path = self.directory / f"{experiment.split()[1]}.yaml"
        path.write_text(experiment)
        process = self.start("run", str(path), "--json", *options)
        out, said = process.communicate(timeout=90)
        assert out, said
        return process.returncode, json.loads(out), said

    def evidence(self) -> Path:
        (directory,) = (self.directory / "runs").iterdir()
        return directory

    def events(self) -> list[dict[str, Any]]:
        journals = list(self.directory.glob("runs/*/journal.jsonl"))
        lines = journals[0].read_text().splitlines(keepends=True) if journals else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def until_event(self, name: str, **details: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def seen() -> bool:
            found[:] = [
                event
                for event in self.events()
                if event["event"] == name and details.items() <= event.items()
            ]
            return bool(found)

        wait_until(seen)
        return found[0]


@pytest.fixture
def desk(testbed: TestbedState, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, testbed)
    yield desk
    assert desk.live.live() == "blue", "every run leaves the live release as it was"


def only_doubts_about_the_generator(verdict: dict[str, Any]) -> bool:
    """On a busy machine the generator may honestly have been late; then, and only then, a pass is unknown."""
    return all("generator" in reason for reason in verdict["reasons"])


def test_a_rollback_is_measured_and_loses_nothing(desk: Desk) -> None:
    code, verdict, said = desk.run(ROLLBACK)
    (downtime,) = verdict["objectives"]
    assert downtime["verdict"] == "pass", said
    assert downtime["lower"] == 0
    assert 0 < downtime["upper"] < 5
    assert only_doubts_about_the_generator(verdict), said
    assert code == {"pass": 0, "unknown": 2}[verdict["verdict"]]
    assert [check["verdict"] for check in verdict["checks"]] == ["pass", "pass"], said
    assert verdict["checks"][1]["figures"]["lost"] == 0
    assert verdict["generator"]["dropped"] == 0
    assert verdict["generator"]["scheduled"] == verdict["generator"]["sent"]
    evidence = desk.evidence()
    assert {path.name for path in evidence.iterdir()} >= {
        "experiment.yaml", "plan.json", "journal.jsonl", "requests.parquet", "verdict.json", "report.html",
        "junit.xml", "locust.log", "stored-writes.parquet",
    }  # fmt: skip
    assert (evidence / "report.html").stat().st_size < 2_000_000
    assert desk.exit_code("verify", str(evidence)) == 0
    with (evidence / "journal.jsonl").open("a") as journal:
        journal.write('{"event": "nothing happened"}\n')
    assert desk.exit_code("verify", str(evidence)) == 1


@pytest.mark.long
def test_a_cold_rollback_is_seen_alike_by_clients_and_by_the_edge(desk: Desk) -> None:
    code, verdict, said = desk.run(COLD)
    assert code == 1, said
    assert verdict["objectives"][0]["verdict"] == "fail"
    outage = max(verdict["outages"], key=lambda each: each["bad"])
    zero = desk.until_event("load.zero")
    start_wall = desk.events()[0]
    wall_of_zero = _unix(start_wall["wall"]) + zero["zero_mono_s"] - start_wall["mono"]
    answers = answers_of(desk.testbed, wall_of_zero + outage["start_s"] - 1.0, wall_of_zero + 10.0)
    failed = [instant for instant, status in answers if status >= 500]
    assert failed, "the edge logged no failure"
    shortest = failed[-1] - failed[0]
    longest = min(instant for instant, status in answers if instant > failed[-1]) - max(
        instant for instant, status in answers if instant < failed[0]
    )
    # the edge logs whole milliseconds; a request takes a moment from the client to it
    slack = 0.005
    assert shortest <= outage["server"]["upper_s"] + slack
    assert longest >= outage["server"]["lower_s"] - slack
    assert outage["server"]["lower_s"] > 0.05


def _unix(wall: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(wall).timestamp()


def test_ctrl_c_keeps_the_evidence_and_puts_the_target_back(desk: Desk) -> None:
    (desk.directory / "x.yaml").write_text(ROLLBACK.replace("at: 4s", "at: 7s"))
    process = desk.start("run", "x.yaml", "--json")
    desk.until_event("step.fired", step="switch")
    assert desk.live.live() == "green"
    load = desk.until_event("load.started")["pid"]
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    verdict = json.loads(out)
    assert (verdict["verdict"], verdict["interrupted"]) == ("unknown", True)
    assert "interrupted" in verdict["reasons"]
    assert verdict["generator"]["sent"] > 0
    assert (desk.evidence() / "report.html").exists()
    assert not psutil.pid_exists(load)


def test_a_guard_that_gives_way_undoes_everything_at_once(desk: Desk) -> None:
    code, verdict, _ = desk.run(GUARDED)
    assert (code, verdict["verdict"]) == (1, "fail")
    assert verdict["reasons"][0].startswith("guard: ")
    (fault,) = verdict["faults"]
    assert fault["verified"]
    zero = desk.until_event("load.zero")["zero_mono_s"]
    aborted_s = desk.until_event("run.aborted")["mono"] - zero
    assert 3.0 < aborted_s < 20.0
    assert fault["undone_s"] < 21.0, "not at its own end, at 22 s"


@pytest.mark.parametrize(
    "victim", [pytest.param("conductor", marks=pytest.mark.long), "guardian and conductor"]
)
def test_kill_9_leaves_nothing_behind(desk: Desk, victim: str) -> None:
    (desk.directory / "x.yaml").write_text(ROLLBACK.replace("at: 4s", "at: 7s"))
    process = desk.start("run", "x.yaml")
    desk.until_event("step.fired", step="switch")
    load = desk.until_event("load.started")["pid"]
    if victim != "conductor":
        (guardian,) = (
            child
            for child in psutil.Process(process.pid).children()
            if "seatrial.undo.guardian" in child.cmdline()
        )
        guardian.kill()
    process.kill()
    process.communicate()
    assert desk.exit_code("recover") == 0
    assert desk.live.live() == "blue"
    finished = json.loads((desk.evidence() / "verdict.json").read_text())
    assert (finished["verdict"], finished["interrupted"]) == ("unknown", True)
    assert finished["generator"]["sent"] > 0
    (switch,) = (step for step in finished["steps"] if step["name"] == "switch")
    assert switch["undone_s"] > switch["injected_s"]
    assert desk.exit_code("verify", str(desk.evidence())) == 0
    wait_until(lambda: not psutil.pid_exists(load) or psutil.Process(load).status() == psutil.STATUS_ZOMBIE)


def test_one_target_has_one_conductor(desk: Desk) -> None:
    (desk.directory / "x.yaml").write_text(ROLLBACK)
    first = desk.start("run", "x.yaml", "--out", "first")
    wait_until((desk.directory / "first" / "journal.jsonl").exists)
    wait_until(lambda: "load.started" in (desk.directory / "first" / "journal.jsonl").read_text())
    code, verdict, _ = desk.run(ROLLBACK, "--out", "second")
    assert code == 2
    assert re.search(rf"already, by .*{first.pid}", verdict["reasons"][0]), verdict["reasons"]
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    assert first.returncode == 130


@pytest.mark.long
def test_a_scenario_that_crashes_is_a_verdict_with_a_reason(desk: Desk) -> None:
    (desk.directory / "broken.py").write_text("import nothing_of_that_name\n")
    code, verdict, _ = desk.run(ROLLBACK.replace("loadtests/storefront.py", "broken.py"))
    assert code == 2
    assert "nothing_of_that_name" in verdict["reasons"][0]


def test_a_load_generator_that_is_killed_is_a_verdict_with_a_reason(desk: Desk) -> None:
    (desk.directory / "x.yaml").write_text(ROLLBACK.replace("at: 4s", "at: 7s"))
    process = desk.start("run", "x.yaml", "--json")
    desk.until_event("step.fired", step="switch")
    os.kill(desk.until_event("load.started")["pid"], signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    verdict = json.loads(out)
    assert process.returncode == 2
    assert "the load generator ended early" in verdict["reasons"][0]
    assert verdict["generator"]["sent"] > 0


def test_a_target_that_is_not_healthy_is_not_touched(desk: Desk) -> None:
    (desk.directory / "t.yaml").write_text(
        "target: nowhere\nbase_url: http://127.0.0.1:1\nready_within: 200ms\n"
    )
    plain = "experiment: plain\nload: {scenario: loadtests/homepage.py, rate: 10/s}\nduration: 2s\n"
    code, verdict, _ = desk.run(plain, "--target", "t.yaml")
    assert code == 2
    assert "is not healthy" in verdict["reasons"][0]
    assert not (desk.evidence() / "requests.parquet").exists()


class _Shop(BaseHTTPRequestHandler):
    """A service that knows nothing of seatrial."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"welcome"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


HOME = """\
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def home(self): self.client.get('/')
"""
FIRST = (
    "experiment: first\nload: {scenario: home.py, rate: 100/s}\nwarmup: 500ms\nduration: 3s\n"
    "objectives: {errors: {max: 0%}, downtime: {max: 1s}}\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """The address of a service that knows nothing of seatrial; its target file is `target.yaml`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "target.yaml").write_text(f"target: my-shop\nbase_url: {address}\n")
    yield address
    server.shutdown()
    server.server_close()


@pytest.mark.long
def test_any_service_is_measured_with_five_lines_and_five_lines(
    tmp_path: Path, testbed: TestbedState, shop: str
) -> None:
    assert httpx.get(shop).text == "welcome"
    (tmp_path / "home.py").write_text(HOME)
    _, verdict, said = Desk(tmp_path, testbed).run(FIRST, "--target", "target.yaml")
    assert [objective["verdict"] for objective in verdict["objectives"]] == ["pass", "pass"], said
    assert verdict["generator"]["scheduled"] == 300
    assert verdict["generator"]["scenario_errors"] == 0
    assert only_doubts_about_the_generator(verdict)


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        pytest.param(HOME + "        .json()['nope']\n", "home.py:5 JSONDecodeError", marks=pytest.mark.long),
        (
            HOME + "    def on_start(self): raise RuntimeError('no login')\n",
            "home.py:6 RuntimeError: no login",
        ),
    ],
    ids=["a task", "on_start"],
)
def test_a_scenario_that_raises_is_told_everywhere_and_is_neither_a_pass_nor_a_fail(
    tmp_path: Path, testbed: TestbedState, shop: str, scenario: str, says: str
) -> None:
    (tmp_path / "home.py").write_text(
        scenario.replace("self.client.get('/')\n        ", "self.client.get('/')")
    )
    code, verdict, said = Desk(tmp_path, testbed).run(FIRST.replace("3s", "1s"), "--target", "target.yaml")
    assert (code, verdict["verdict"]) == (2, "unknown")
    assert says in verdict["reasons"][0]
    assert says.split(maxsplit=1)[0] in said
    assert verdict["generator"]["scenario_errors"] == verdict["scenario"]["arrivals"] == 150
    (evidence,) = (tmp_path / "runs").iterdir()
    place = says.split(maxsplit=1)[0]
    assert all(place in (evidence / name).read_text() for name in ("junit.xml", "report.html"))
