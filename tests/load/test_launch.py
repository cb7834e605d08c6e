from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq  # as somebody else reads it
import pytest
from tests.support.waiting import wait_until

from seatrial.columnar import METADATA
from seatrial.load.fleetrecord import FleetRecord, Loss, Member
from seatrial.load.launch import LOG, REQUESTS, SPOOLS, LoadPlan, LoadProcess, end_left_over, launch
from seatrial.load.spool import CANNOT_WRITE
from seatrial.model import secrets
from seatrial.model.arrivals import RateStep
from seatrial.model.ownfailure import KILLED
from seatrial.model.problems import BadInput, CannotStore, Unavailable
from seatrial.model.quantities import Rate
from seatrial.model.workers import Workers

SCENARIO = """
from locust import LoadTestShape, between, task
from seatrial.load import OpenLoopUser
class Ramp(LoadTestShape):
    def tick(self):
        run_time = self.get_run_time()
        return (10, 1) if run_time < 5 else (20, 1) if run_time < 10 else None
class Visitor(OpenLoopUser):
    wait_time = between(1, 3)
    @task
    def plain(self):
        self.client.get("/plain", key="k")
"""


def plan(folder: Path, host: str, scenario: str = SCENARIO, duration_s: float = 1.0) -> LoadPlan:
    file = folder / "scenario.py"
    file.write_text(scenario)
    shape = (RateStep(0.0, Rate(100, 1.0)), RateStep(0.5, Rate(200, 1.0)))
    return LoadPlan(file, host, shape, 0.2, duration_s, "even", 0, 1.0, folder / "run")


def ended(process: LoadProcess) -> LoadProcess:
    wait_until(lambda: process.poll() is not None)
    return process


@pytest.mark.parametrize(
    ("on_lost", "why"), [("abort", "--on-lost abort was said"), ("continue", "ended for that")]
)
def test_a_loss_is_told_once_and_is_why_it_ended(tmp_path: Path, on_lost: Any, why: str) -> None:
    record = FleetRecord(tmp_path / "run" / SPOOLS)
    record.begin(0.0, 0.0, [Member("web-1, pid 7", same_clock=True)])
    record.lost(Loss(0, 3.0, "nothing was heard of it for 5 s"))
    over = subprocess.Popen(["true"])
    over.wait()
    shared = replace(plan(tmp_path, "http://127.0.0.1:1"), workers=Workers(local=1, on_lost=on_lost))
    process = LoadProcess(shared, over)
    process.new_rows()
    reason = process.failure_reason() or ""
    assert why in reason
    assert "nothing was heard" not in reason
    assert ["nothing was heard of it" in loss for loss in process.losses] == [True]


def test_importing_it_leaves_the_process_alone() -> None:
    check = "import sys, seatrial.load.launch; sys.exit('gevent' in sys.modules or 'locust' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.e2e
def test_a_whole_load_is_tailed_and_kept(tmp_path: Path, http_server: Any) -> None:
    process = launch(plan(tmp_path, http_server.url))
    assert process.zero_monotonic_s is None
    wait_until(lambda: process.zero_monotonic_s)
    assert process.zero_monotonic_s is not None
    assert process.zero_wall is not None
    assert process.notices == (
        (
            "Ramp shapes a number of users and does not count here: arrivals come by --rate; "
            "with the same peak it would be --rate 0s=6000/min,5s=12000/min"
        ),
        "wait_time of Visitor means nothing: the rate says when arrivals come",
    )
    apart_s = [
        process.zero_wall - time.time() - process.zero_monotonic_s + time.monotonic() for _ in range(9)
    ]
    assert min(map(abs, apart_s)) < 0.1
    seen = 0
    while process.poll() is None:
        seen += len(process.new_rows())
        time.sleep(0.05)
    log = process.finish()
    seen += len(process.new_rows())
    assert seen == len(log) == 20 + 50 + 100
    assert np.allclose(log.intended[20:70], np.arange(50) / 100)
    assert np.allclose(log.intended[70:], 0.5 + np.arange(100) / 200)
    assert pq.read_table(tmp_path / "run" / REQUESTS).column("key").to_pylist() == ["k"] * 170
    assert process.audit is not None
    assert process.audit.scheduled == 150
    assert (process.poll(), process.failure_reason()) == (0, None)


@pytest.mark.e2e
def test_what_locust_does_when_all_is_over_holds_up_no_answer(tmp_path: Path, http_server: Any) -> None:
    slow = """
import inspect, time
def looking(*_, **__):
    until = time.monotonic() + 0.5
    while time.monotonic() < until: pass
    raise LookupError
inspect.stack = looking
"""
    process = launch(plan(tmp_path, http_server.url, SCENARIO + slow, duration_s=0.3))
    assert len(process.finish()) == 20 + 30
    assert [call for call in process.scenario.blocking if call.longest_ms > 400] == []


@pytest.mark.e2e
def test_a_stopped_load_has_all_its_rows(tmp_path: Path, http_server: Any) -> None:
    process = launch(plan(tmp_path, http_server.url, SCENARIO.replace("/plain", "/hang"), duration_s=60.0))
    wait_until(lambda: len(http_server.requests) > 30)
    process.stop(grace_s=10.0)
    log = process.finish()
    assert len(log) == len(http_server.requests)
    assert set(log.error.texts()) == {"deadline"}
    assert process.audit is not None


@pytest.mark.e2e
def test_one_that_does_not_stop_is_killed_and_its_requests_are_accounted_for(
    tmp_path: Path, http_server: Any
) -> None:
    process = launch(plan(tmp_path, http_server.url, SCENARIO.replace("/plain", "/hang"), duration_s=60.0))
    wait_until(lambda: len(http_server.requests) > 60)
    process.stop(grace_s=0.0)
    log = process.finish()
    assert process.poll() == -signal.SIGKILL
    assert process.audit is None
    assert KILLED in log.error.texts()
    assert len(log) >= len(http_server.requests) - 40
    assert "killed by signal 9" in (process.failure_reason() or "")


def test_the_command_line_says_what_is_driven(tmp_path: Path) -> None:
    one = plan(tmp_path, "http://127.0.0.1:1")
    narrowed = replace(
        one,
        further_scenarios=(Path("admin.py"),),
        users=("Clerk",),
        tags=("pay",),
        exclude_tags=("slow", "old"),
    )
    command = " ".join(narrowed.command())
    assert f"-f {one.scenario},admin.py --host" in command
    assert "--tags pay --exclude-tags slow old --rate" in command
    assert command.endswith("/spool Clerk")
    assert "tags" not in " ".join(one.command())


@pytest.mark.e2e
def test_the_generator_does_not_outlive_its_conductor(tmp_path: Path, http_server: Any) -> None:
    one = plan(tmp_path, http_server.url, duration_s=60.0)
    conductor = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import time
            from pathlib import Path
            from seatrial.load.launch import LoadPlan, launch
            from seatrial.model.arrivals import RateStep
            from seatrial.model.quantities import Rate
            process = launch(LoadPlan(Path({str(one.scenario)!r}), {http_server.url!r}, (RateStep(0.0, Rate(9, 1.0)),),
                             0.0, 60.0, "even", 0, 1.0, Path({str(one.directory)!r})))
            print(process.pid, flush=True)
            time.sleep(60)
        """)],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert conductor.stdout is not None
    generator = psutil.Process(int(conductor.stdout.readline()))
    wait_until(lambda: http_server.requests)
    conductor.kill()
    conductor.communicate()
    wait_until(lambda: not generator.is_running() or generator.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("scenario", "reason"),
    [
        ("def oops(:\n", r"scenario\.py:1: SyntaxError: "),
        ("import no_such_module\n", r"scenario\.py:1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from locust import User\n", r"scenario\.py: No User class found!; derive one from HttpUser"),
        (SCENARIO.replace("@task", "# no task"), "Visitor has no tasks"),
    ],
)
def test_a_scenario_that_cannot_run_is_explained(tmp_path: Path, scenario: str, reason: str) -> None:
    process = ended(launch(plan(tmp_path, "http://127.0.0.1:1", scenario)))
    assert len(process.finish()) == 0
    assert process.audit is None
    assert re.search(reason, process.failure_reason() or "")


def test_a_missing_scenario_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.py: no such scenario"):
        launch(LoadPlan(tmp_path / "nowhere.py", "", (), 0, 1, "even", 0, 1, tmp_path))


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"users": ("Nobody",)}, r"^Unknown User\(s\): Nobody$"),
        ({"variables": {"LOCUST_STOP_TIMEOUT": "soon"}}, r"error: argument .*--stop-timeout: Invalid time"),
    ],
)
def test_a_load_that_locust_or_we_refuse_is_explained(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    process = ended(launch(replace(plan(tmp_path, "http://127.0.0.1:1"), **changes)))
    assert re.search(reason, process.failure_reason() or "")


@pytest.mark.e2e
def test_a_scenario_finds_the_targets_variables_and_no_command_line_shows_them(
    tmp_path: Path, http_server: Any
) -> None:
    scenario = "import os\n" + SCENARIO.replace('key="k"', 'key=os.environ["TOKEN"]')
    load = replace(plan(tmp_path, http_server.url, scenario, duration_s=0.2), variables={"TOKEN": "s3cret"})
    log = ended(launch(load)).finish()
    assert log.keys is not None
    assert set(log.keys) == {"s3cret"}
    assert "s3cret" not in f"{load} {load.command()}"


def test_a_command_line_shows_an_address_and_no_secret(tmp_path: Path) -> None:
    load = plan(tmp_path, "http://user:s3cret-T0ken@127.0.0.1:1")
    told = replace(load, address="http://${HOST}:1")
    secrets.remember("s3cret-T0ken", "${TOKEN}")
    assert load.command()[6] == "http://127.0.0.1:1"
    assert told.command()[6] == "http://${HOST}:1"
    for each in (load, told):
        assert "s3cret" not in f"{each} {each.command()}"
        assert each.environment()["SEATRIAL_LOAD_HOST"] == "http://user:s3cret-T0ken@127.0.0.1:1"
        assert json.loads(each.environment()["SEATRIAL_LOAD_SECRETS"]) == {"s3cret-T0ken": "${TOKEN}"}


@pytest.mark.e2e
def test_the_generator_sends_to_the_host_and_shows_the_address(tmp_path: Path, http_server: Any) -> None:
    secrets.remember("s3cret-T0ken", "${TOKEN}")
    scenario = """
import os, subprocess, sys
from locust import events, task
from seatrial.load import OpenLoopUser
print("printed", os.environ["TOKEN"])
subprocess.run(["sh", "-c", "echo from a program $TOKEN $SEATRIAL_LOAD_HOST"])
class Visitor(OpenLoopUser):
    @task
    def plain(self):
        self.client.get("/plain", name=os.environ["TOKEN"] + str("SEATRIAL_LOAD_HOST" in os.environ))
"""
    host = http_server.url.replace("//", "//user:s3cret-T0ken@")
    load = plan(tmp_path, host, scenario, duration_s=0.2)
    load = replace(load, address="http://${HOST}:1", variables={"TOKEN": "s3cret-T0ken"})
    log = ended(launch(load)).finish()
    assert set(log.ok.tolist()) == {True}
    assert set(log.name.texts()) == {"${TOKEN}False"}
    assert {request.headers["authorization"] for request in http_server.requests} == {
        "Basic " + base64.b64encode(b"user:s3cret-T0ken").decode()
    }
    metadata = json.loads(pq.read_schema(tmp_path / "run" / REQUESTS).metadata[METADATA.encode()])
    assert [worker["host"] for worker in metadata["workers"]] == ["http://${HOST}:1"]
    said = (tmp_path / "run" / LOG).read_text()
    assert "printed ${TOKEN}\n" in said
    assert "from a program ${TOKEN}\n" in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]


def test_a_generator_that_could_not_write_says_so_by_its_exit_code(tmp_path: Path) -> None:
    """Its log is on the same full disk, so that is all it can say."""
    over = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({CANNOT_WRITE})"])
    over.wait()
    process = LoadProcess(plan(tmp_path, "http://127.0.0.1:1"), over)
    reason = process.failure_reason() or ""
    assert re.search(r"could not write the request log: .*worker-0\.spool \(.* free\)", reason)


def test_a_generator_that_outlived_its_conductor_is_ended_and_no_other(tmp_path: Path) -> None:
    def generator(directory: Path) -> subprocess.Popen[bytes]:
        arguments = ["--spool", str(directory / SPOOLS)]
        return subprocess.Popen([sys.executable, "-c", "input()", *arguments], stdin=subprocess.PIPE)

    with generator(tmp_path / "mine") as mine, generator(tmp_path / "other") as other:
        end_left_over(tmp_path / "mine")
        assert not psutil.pid_exists(mine.pid)
        assert other.poll() is None
        other.kill()


def test_a_full_disk_starts_no_generator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "run" / "locust.log"))

    load = plan(tmp_path, "http://127.0.0.1:1")
    monkeypatch.setattr("seatrial.load.launch.open", full, raising=False)
    with pytest.raises(CannotStore, match=r"locust\.log .*No space left"):
        launch(load)


@pytest.mark.parametrize("number", [11, 12])
def test_a_system_that_starts_no_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(Unavailable, match=f"cannot be started: {os.strerror(number)}"):
        launch(plan(tmp_path, "http://127.0.0.1:1"))
