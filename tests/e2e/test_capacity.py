"""The capacity of a service whose capacity is known, by the command, with real load."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.small_run import SCENARIO
from tests.support.token_bucket import serving
from tests.support.waiting import wait_until

from seatrial.measure.importers import read

LIMIT_PER_S = 150.0
BURST = 40  # tokens: a third of a second in which this machine does something else breaks no promise
OBJECTIVE = ["--objective", "p95 < 900ms and errors < 1%", "--from", "100/s", "--cool-down", "0s"]


@pytest.fixture(name="bucket")
def _bucket(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "home.py").write_text(SCENARIO)
    (tmp_path / "x.yaml").write_text(
        "experiment: bucket\nload: {scenario: home.py, rate: 100/s}\nwarmup: 500ms\nduration: 40s\n"
    )
    with serving(LIMIT_PER_S, BURST) as url:
        (tmp_path / "target.yaml").write_text(f"target: bucket\nbase_url: {url}\n")
        yield tmp_path


def started(directory: Path, *options: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "seatrial", "capacity", "x.yaml", "--target", "target.yaml", "--json", *OBJECTIVE,
         "--out", "found", *options],
        cwd=directory,
        env={**kept, "SEATRIAL_HOME": str(directory / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def document(directory: Path) -> dict[str, Any]:
    path = directory / "found" / "capacity.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"trials": []}
    return found


@pytest.mark.long
def test_the_interval_holds_the_limit(bucket: Path) -> None:
    process = started(bucket, "--trial", "1s", "--repeats", "1", "--within", "100%")
    out, told = process.communicate(timeout=120)
    found = json.loads(out)
    assert process.returncode == {"pass": 0, "fail": 1, "unknown": 2}[found["verdict"]], told
    lower, upper = found["lower_per_s"] or 0.0, found["upper_per_s"] or math.inf
    assert lower <= LIMIT_PER_S < upper
    assert lower > 0 or upper < math.inf or found["generator_per_s"], "nothing was found out"
    assert found["stop"] != "found" or upper <= 2 * lower
    assert found == document(bucket)
    verdict = json.loads((bucket / "found" / "verdict.json").read_text())
    (capacity,) = verdict["objectives"]
    assert (capacity["name"], capacity["lower"]) == (
        "capacity at p95 <= 900ms, errors <= 1%",
        found["lower_per_s"],
    )
    assert (capacity["verdict"], verdict["verdict"]) == (found["verdict"], found["verdict"])
    plan = json.loads((bucket / "found" / "plan.json").read_text())
    assert "rate" not in plan["experiment"]["load"]
    trials = [
        json.loads((bucket / "found" / each["directory"] / "verdict.json").read_text())
        for each in found["trials"]
    ]
    assert [trial["verdict"] for trial in trials] == [
        {"held": "pass", "broken": "fail"}.get(each["outcome"], "unknown") for each in found["trials"]
    ]


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_whoever_ends_a_search_keeps_what_it_has_measured(
    bucket: Path, number: signal.Signals, code: int
) -> None:
    process = started(bucket, "--trial", "2s")
    wait_until(lambda: len(document(bucket)["trials"]) >= 2, within_s=60)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    found = document(bucket)
    assert len(found["trials"]) >= 2
    assert found["verdict"] == "unknown"
    assert found["interrupted"] is (number is signal.SIGINT)
    assert found["trials"][0]["rate"] in (bucket / "found" / "report.html").read_text()
    kept = json.loads((bucket / "found" / "verdict.json").read_text())
    assert kept["verdict"] == "unknown"


@pytest.mark.long
def test_one_trial_after_the_other_until_both_ends_are_sure(bucket: Path) -> None:
    process = started(bucket, "--trial", "3s")
    found = json.loads(process.communicate(timeout=280)[0])
    assert found["stop"] == "found"
    assert found["lower_per_s"] <= LIMIT_PER_S + BURST / 3  # which the bucket carries for 3 s
    assert found["upper_per_s"] > LIMIT_PER_S


BUSY = """\
import time
from locust import task
from seatrial.load import OpenLoopUser

class Visitor(OpenLoopUser):
    @task
    def home(self):
        until_s = time.perf_counter() + 0.02
        while time.perf_counter() < until_s:
            pass
        self.client.get("/")
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "limited"), [(SCENARIO, "service"), (BUSY, "generator")], ids=["service", "generator"]
)
def test_with_workers_it_is_told_whose_limit_it_is(bucket: Path, scenario: str, limited: str) -> None:
    (bucket / "home.py").write_text(scenario)
    options = ["--workers", "2", "--trial", "2s", "--repeats", "1", "--within", "100%", "--to", "400/s"]
    first = [] if limited == "service" else ["--from", "40/s"]
    out, told = started(bucket, *options, *first).communicate(timeout=280)
    found = json.loads(out)
    lower, upper = found["lower_per_s"] or 0.0, found["upper_per_s"] or math.inf
    assert lower <= LIMIT_PER_S + BURST / 2, told
    assert upper > LIMIT_PER_S
    if limited == "generator":
        assert found["upper_per_s"] is None, "what two busy workers cannot send breaks nothing"
        assert found["generator_per_s"] is not None or found["lower_per_s"] is None
    log = read(bucket / "found" / "01" / "requests.parquet").log
    assert sorted(log.worker.values) == ["0", "1"]
    verdict = json.loads((bucket / "found" / "01" / "verdict.json").read_text())
    assert verdict["generator"]["workers"] == 2
