"""An access log is offered again by a real run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.small_run import small_run

from seatrial.measure.importers import read

ROOT = Path(__file__).parents[2]
LINE = (
    "10.0.0.1:1 [28/Nov/2026:22:00:{second:06.3f}] web app/a 0/0/1/2/3 200 9 - - ---- 1/1/1/1/0 0/0 "
    '"{method} http://evil.example/item/{number} HTTP/1.1"\n'
)


@pytest.mark.long
def test_the_requests_of_a_log_come_when_they_came_then(tmp_path: Path) -> None:
    lines = [
        LINE.format(second=1 + number * 0.025, number=number, method="DELETE" if number % 5 == 4 else "GET")
        for number in range(110)
    ]
    (tmp_path / "access.log").write_text("".join(lines))
    scenario = (ROOT / "loadtests" / "replay.py").read_text()
    with small_run(tmp_path, "2s", scenario=scenario, load="replay: access.log", warmup="500ms") as run:
        done = subprocess.run(
            run.command,
            cwd=tmp_path,
            env=run.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, 2), done.stderr  # 2: this machine was late
        verdict = run.verdict()
        plan = json.loads((run.evidence() / "plan.json").read_text())
        log = read(run.evidence() / "requests.parquet").log
    assert plan["replay"]["left_out"] == {"DELETE": 22}
    assert "left out of it: 22 DELETE" in verdict["load"]["notices"]
    measured = log.intended[log.intended >= 0].tolist()
    due = [at - 0.5 for number in range(110) if number % 5 != 4 and 0 <= (at := number * 0.025) - 0.5 < 2.0]
    assert verdict["generator"]["arrivals"] == len(due)
    assert measured == pytest.approx(due, abs=0.002)
