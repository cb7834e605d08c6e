"""From the steps of a run and the logs of its target to phases and evidence."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from seatrial.model.result import Failover, StepRecord
from seatrial.model.role import Role
from seatrial.run.conductor import Conducted
from seatrial.run.evidence import Evidence
from seatrial.run.failover import split_failovers

ZERO = datetime(2026, 11, 24, 11, 25, tzinfo=UTC).timestamp()


def split(tmp_path: Path, parameters: dict[str, Any], *steps: StepRecord) -> tuple[Failover, ...]:
    role = Role("database.primary", "patroni", parameters, (), str(tmp_path))
    conducted = cast("Conducted", SimpleNamespace(steps=steps, end_s=45.0))
    return split_failovers([role], conducted, Evidence(tmp_path), ZERO)


def step(name: str, before_s: float | None) -> StepRecord:
    return StepRecord(name, "fault", "database.crash", "database.primary", 0.0, before_s)


def test_each_step_has_the_lines_until_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "proxy.log").write_text(
        "2026-11-24T11:25:03.500000+00:00 Server primary/db-1 is DOWN, reason: Layer7 wrong status\n"
        "2026-11-24T11:25:23.250000+00:00 Server primary/db-2 is DOWN, reason: Layer7 wrong status\n"
    )
    steps = (step("never", None), step("first", 3.0), step("quiet", 5.0), step("second", 23.0))
    found = split(tmp_path, {"proxies": ["proxy.log"]}, *steps)
    assert [one.step for one in found] == ["first", "second"]
    assert [one.phases[0].length_s for one in found] == pytest.approx([0.5, 0.25])
    kept = json.loads((tmp_path / "failover.json").read_text())
    assert [line["source"] for line in kept["lines"]] == ["proxy", "proxy"]
    assert Evidence(tmp_path).manifest()["failover"] == "failover.json"


def test_a_cluster_that_fails_over_unasked_belongs_to_the_fault_before(tmp_path: Path) -> None:
    (tmp_path / "db-2.log").write_text(
        "2026-11-24 11:25:05.000 UTC [7] LOG:  Request failed to db-1\n"
        "2026-11-24 11:25:22.000 UTC [7] LOG:  promoted self to leader by acquiring session lock\n"
    )
    logs = {"members": {"db-2": {"log": "db-2.log"}}}
    cut = StepRecord("cut", "fault", "network.partition", "router", 0.0, 3.0)
    later = StepRecord("later", "fault", "redis.flush", "cache", 0.0, 30.0)
    (found,) = split(
        tmp_path, logs, cut, later, StepRecord("switch", "action", "deploy.switch", "edge", 0.0, 4.0)
    )
    assert found.step == "cut"
    assert found.phases[1].length_s == pytest.approx(17.0)
    assert split(tmp_path, logs, replace(cut, before_s=23.0)) == ()


@pytest.mark.parametrize("parameters", [{}, {"proxies": ["gone.log"]}, {"proxies": 7}])
def test_without_logs_nothing_is_told_and_nothing_written(tmp_path: Path, parameters: dict[str, Any]) -> None:
    assert split(tmp_path, parameters, step("crash", 3.0)) == ()
    assert not (tmp_path / "failover.json").exists()
