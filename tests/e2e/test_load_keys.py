"""What a run does, and tells, by the keys of its load."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.rows import read_log
from tests.support.small_run import SmallRun, all_well, small_run
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

JOURNEY = """\
from locust import SequentialTaskSet, task
from seatrial.load import OpenLoopUser

class Visit(SequentialTaskSet):
    @task
    def home(self):
        self.client.get("/")

    @task
    def look_around(self):
        for place in range(4):
            self.client.get(f"/{place}", name="/place")

class Visitor(OpenLoopUser):
    tasks = [Visit]
"""


def verdict_of(run: SmallRun) -> tuple[dict[str, Any], str]:
    """What came of it, and what the terminal said."""
    done = subprocess.run(
        run.command,
        cwd=run.directory,
        env=run.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict, done.stderr


def test_strangers_on_a_journey_are_told_in_arrivals_in_requests_and_by_what_they_are(tmp_path: Path) -> None:
    load = "rate: 40/s, connections: new, dns: {select: round-robin, ttl: 3s}"
    with small_run(tmp_path, "1s", scenario=JOURNEY, load=load) as run:
        verdict, said = verdict_of(run)
    assert all_well(verdict), verdict["reasons"]
    generator = verdict["generator"]
    assert (generator["arrivals"], generator["scheduled"], generator["requests_per_arrival"]) == (
        40,
        200,
        5.0,
    )
    assert (generator["arrivals_per_s"], generator["requests_per_s"]) == (40.0, 200.0)
    told = verdict["load"]
    assert (told["connections"], told["dns_select"], told["dns_ttl_s"]) == ("new", "round-robin", 3.0)
    report = (run.evidence() / "report.html").read_text()
    for place in (said, report):
        assert "2,400 arrivals/min, 12,000 requests/min (5 an arrival)" in place
        assert "each arrival opens connections of its own" in place
        assert "a new one goes to each address of its name in turn, asked for again after 3.00 s" in place
    opened = len(run.service.connections)
    assert 40 <= opened <= 45, "one for each arrival, and not for each of its requests"


def test_a_rate_of_requests_is_met_by_fewer_arrivals_over_one_warm_pool(tmp_path: Path) -> None:
    with small_run(tmp_path, "1s", scenario=JOURNEY, load="rate: {requests: 200/s}", warmup="1s") as run:
        verdict, said = verdict_of(run)
    assert all_well(verdict), verdict["reasons"]
    load, generator = verdict["load"], verdict["generator"]
    assert load["per_arrival"]["mean"] == 5.0
    assert (load["counts"], load["wanted_per_s"]) == ("requests", 200.0)
    assert generator["arrivals"] == 40
    assert 200 <= generator["scheduled"] <= 220, "of the warm-up's last journeys some steps may be due later"
    assert "for 12,000 requests/min: the warm-up showed 5 ± 0 requests an arrival" in said
    assert "all users share one warm pool of connections" in said
    assert len(run.service.connections) < 40


ROWS = """\
from locust import HttpUser, task

class Visitor(HttpUser):
    @task
    def home(self):
        self.client.get(f"/{self.row['id']}", name=self.row["id"])
"""


@pytest.mark.long
def test_rows_of_a_file_are_fed_to_arrivals_and_the_evidence_says_which_file(tmp_path: Path) -> None:
    content = "id,city\n" + "".join(f"r{number},x\n" for number in range(7))
    (tmp_path / "users.csv").write_text(content)
    with small_run(tmp_path, "1s", scenario=ROWS, load="rate: 40/s, data: users.csv", warmup="100ms") as run:
        verdict, said = verdict_of(run)
        plan = json.loads((run.evidence() / "plan.json").read_text())
        log = read_log(run.evidence() / "requests.parquet")
    assert all_well(verdict), (verdict["reasons"], said)
    assert log.name.texts() == [f"r{number % 7}" for number in range(44)]
    assert plan["data"]["sha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert (plan["data"]["rows"], plan["data"]["order"]) == (7, "sequential")


LEAKING = """\
import os
from locust import HttpUser, task

class Visitor(HttpUser):
    @task(8)
    def named(self):
        self.client.get(f"/login?token={self.row['token']}", key=self.row["id"])

    @task(2)
    def told(self):
        print("printed", self.row)
        os.system(f"echo by another {self.row['token']}")
        with self.client.get("/", catch_response=True) as answer:
            answer.failure(f"refused {self.row['token']}")

    @task(2)
    def raising(self):
        self.client.get("/")
        raise ValueError(self.row["token"])
"""


@pytest.mark.long
def test_a_secret_column_is_shown_nowhere(tmp_path: Path) -> None:
    tokens = [f"s3cret-T0ken-{number:03}" for number in range(60)]
    lines = (f"r{number},{token}\n" for number, token in enumerate(tokens))
    (tmp_path / "users.csv").write_text("id,token\n" + "".join(lines))
    load = "rate: 40/s, data: {file: users.csv, secret: [token]}"
    with small_run(tmp_path, "1s", scenario=LEAKING, load=load) as run:
        verdict, said = verdict_of(run)
        files = {path.name: path.read_bytes() for path in run.evidence().rglob("*") if path.is_file()}
        names = read_log(run.evidence() / "requests.parquet").name.texts()
    assert verdict["verdict"] == "unknown", "the scenario raised"
    assert "/login?token=${row.token}" in names
    log = files["locust.log"].decode()
    for told in ("printed {'id': 'r", "by another ${row.token}", "ValueError: ${row.token}"):
        assert told in log
    assert any("${row.token}" in reason for reason in verdict["reasons"])
    shown = {"terminal": said.encode(), "verdict": json.dumps(verdict).encode(), **files}
    assert [name for name, content in shown.items() if b"s3cret-T0ken-" in content] == []


@pytest.mark.long
def test_rows_that_run_out_unforeseen_are_nothing_that_the_service_is_blamed_for(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("id\n" + "".join(f"r{number}\n" for number in range(30)))
    load = "rate: {requests: 40/s}, data: {file: users.csv, order: unique}"
    with small_run(tmp_path, "1s", scenario=ROWS, load=load, warmup="1s") as run:
        verdict, _ = verdict_of(run)
    assert verdict["verdict"] == "unknown"
    assert verdict["generator"]["dropped"] > 0
    assert verdict["measurement"]["bad"] == verdict["generator"]["dropped"]
    (reason,) = (each for each in verdict["reasons"] if "users.csv" in each)
    assert reason.endswith("arrivals: users.csv has no row left: each of its 30 was given once")


@pytest.mark.long
def test_a_warm_up_that_shows_no_journey_to_its_end_ends_the_run_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    slow = JOURNEY.replace("import SequentialTaskSet", "import constant, SequentialTaskSet").replace(
        "tasks = [Visit]", "tasks = [Visit]\n    wait_time = constant(30)"
    )
    with small_run(tmp_path, "1s", scenario=slow, load="rate: {requests: 50/s}", warmup="1s") as run:
        verdict, _ = verdict_of(run)
    assert (verdict["verdict"], verdict["load"]["per_arrival"]) == ("unknown", None)
    assert verdict["reasons"][0].startswith(
        "the load generator ended early: the rate counts requests, and in the warm-up of 1 s no arrival that"
    )


@pytest.mark.long
@pytest.mark.parametrize("connections", ["shared", "new"])
def test_a_listener_that_is_gone_is_met_by_strangers_alone(tmp_path: Path, connections: str) -> None:
    with (
        small_run(tmp_path, "2s", load=f"rate: 100/s, connections: {connections}", warmup="1s") as run,
        subprocess.Popen(
            run.command, cwd=tmp_path, env=run.environment, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        wait_until(lambda: "load.zero" in run.events())
        wait_until(lambda: len(run.service.connections) >= (1 if connections == "shared" else 130))
        with run.service.taking_no_more():
            time.sleep(0.5)  # that is how long it is gone
        said, _ = process.communicate(timeout=60)
    verdict = json.loads(said)
    if connections == "shared":
        assert verdict["measurement"]["bad"] == 0, "one warm pool sees nothing of it"
        return
    (outage,) = verdict["outages"]
    assert outage["perceived"]["lower_s"] <= 0.6
    assert outage["perceived"]["upper_s"] >= 0.45
    assert outage["bad"] >= 40
