"""Real replicas under the scenario's load are recorded, and the check is content with the two records."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.region_processes import pair, role_of
from tests.support.rows import read_log

from seatrial.checks.convergence import Convergence
from seatrial.checks.protocol import History, Need, Recorded
from seatrial.lookups.replicas import record
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.role import Role
from seatrial.model.verdict import Verdict

SCENARIO = Path(__file__).parents[2] / "loadtests" / "regions.py"


def load(log: Path, regions: str) -> None:
    """The scenario, in a process of its own."""
    command = [
        sys.executable, "-m", "locust", "-f", str(SCENARIO), "--host", regions.split(",", maxsplit=1)[0], "--headless",
        "--only-summary", "--rate", "60/s", "--duration", "2s", "--regions", regions, "--request-log", str(log),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.e2e
def test_the_scenario_the_recording_and_the_check_speak_of_the_same_writes(tmp_path: Path) -> None:
    log = tmp_path / "requests.parquet"

    async def steps() -> bytes:
        async with asyncio.timeout(90), pair(tmp_path, skew_s=(5.0, -5.0)) as (east, west, _):
            await asyncio.to_thread(load, log, f"{east.url},{west.url}")
            return await asyncio.to_thread(record, role_of((east, west)))

    told = {Need[bytes]("replicas", "regions"): Recorded(asyncio.run(steps()))}
    result = Convergence().judge(History(read_log(log), (), 2.0, 2.0, told))
    assert result.verdict is Verdict.PASS, result.detail
    assert result.figures["acknowledged"] > 50
    assert result.figures["others"] == 0
    assert 0 < result.figures["drift_max_s"] <= 30


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"replicas": {}}, BadInput),
        ({}, BadInput),
        ({"replicas": {"east": "http://192.0.2.1:80"}}, BadInput),
        ({"replicas": {"east": "http://127.0.0.1:1"}}, Unavailable),
    ],
)
def test_what_cannot_be_asked_says_why(parameters: dict[str, object], expected: type[Exception]) -> None:
    with pytest.raises(expected, match="regions"):
        record(Role("regions", "replicas", parameters, ("127.0.0.0/8",), "."))
