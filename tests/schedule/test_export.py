"""What others are told to wake covers every planned instant."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
import yaml
from tests.support.schedule_world import write_plan

from seatrial.model.problems import BadInput
from seatrial.schedule.cron import Cron
from seatrial.schedule.export import cron_lines, github_actions, kubernetes, systemd
from seatrial.schedule.loading import LoadedSchedule, load_schedule

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def loaded(directory: Path, cadence: str) -> LoadedSchedule:
    write_plan(directory)
    file = directory / "hourly.yaml"
    text = file.read_text().replace('{cron: "0 * * * *"}', cadence)
    file.write_text(text + "timezone: Europe/Berlin\n")
    return load_schedule(file)


@pytest.mark.parametrize(
    ("cadence", "lines"),
    [
        ('{monthly: {day: first sunday, at: "02:30"}}', ["30 0 * * 0", "30 1 * * 0"]),
        ('{daily: {at: "01:15"}}', ["15 0 * * *", "15 23 * * *"]),
        ('{weekly: {day: [mon, sat], at: "00:10"}}', ["10 22 * * 0,5", "10 23 * * 0,5"]),
        ('{cron: "7,37 * * * *"}', ["7,37 * * * *"]),
    ],
)
def test_cron_lines_in_utc_cover_every_planned_instant(
    tmp_path: Path, cadence: str, lines: list[str]
) -> None:
    schedule = loaded(tmp_path, cadence)
    assert cron_lines(schedule, NOW) == lines
    wakings = [Cron.parse(line) for line in lines]
    end = NOW + timedelta(days=500)
    for each in takewhile(lambda each: each.utc < end, schedule.planned(NOW)):
        assert any(each.utc.time() in waking.times(each.utc.date()) for waking in wakings)


def test_what_is_due_too_often_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run the daemon instead"):
        cron_lines(loaded(tmp_path, '{cron: "* * * * *"}'), NOW)


def test_the_workflow_is_one(tmp_path: Path) -> None:
    text = github_actions(loaded(tmp_path, '{daily: {at: "12:00"}}'), "schedules/monthly.yaml", NOW)
    workflow = yaml.load(text, yaml.BaseLoader)  # noqa: S506  # BaseLoader makes only text; `on` stays a key
    assert workflow["on"]["schedule"] == [{"cron": "0 10 * * *"}, {"cron": "0 11 * * *"}]
    steps = workflow["jobs"]["trial"]["steps"]
    assert {"run": "seatrial schedule start --once schedules/monthly.yaml"} in steps


def test_the_cronjob_is_one(tmp_path: Path) -> None:
    text = kubernetes(loaded(tmp_path, '{daily: {at: "12:00"}}'), "seatrial:0.1", "/schedules/monthly.yaml")
    job = yaml.safe_load(text)
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    container = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["schedule", "start", "--once", "/schedules/monthly.yaml"]


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "seatrial.service"
    unit.write_text(systemd(["schedules/monthly.yaml"]))
    assert "ExecStart=/usr/bin/env seatrial schedule start" in unit.read_text()
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    checked = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "Unknown" not in checked.stderr
    assert checked.returncode == 0, checked.stderr
