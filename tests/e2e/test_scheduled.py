"""A scheduled run that fails on the testbed pages somebody, and the next pass resolves it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.pagerduty_double import ROUTING_KEY, PagerDutyDouble

from seatrial.testbed import TestbedState

pytestmark = pytest.mark.e2e

EXPERIMENT = """\
experiment: promise
load: {{scenario: loadtests/storefront.py, rate: 50/s}}
warmup: 500ms
duration: 3s
timeline:
  - {{at: 1s, action: deploy.switch, on: edge, name: switch}}
objectives:
  latency: {{p95: {p95}}}
incident: {{severity: critical}}
"""
SCHEDULE = """\
schedule: {name}
experiment: x.yaml
target: target.yaml
cadence: {{every: 1h}}
missed: run-late within 2h
"""


def seatrial(testbed: TestbedState, double: PagerDutyDouble, cwd: Path, *arguments: str) -> str:
    """What a command that ends well prints."""
    environment = {
        **os.environ,
        "SEATRIAL_HOME": str(testbed.root.parent),
        "SEATRIAL_PAGERDUTY_KEY": ROUTING_KEY,
        "SEATRIAL_PAGERDUTY_EVENTS_URL": double.url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", *arguments], cwd=cwd, env=environment, text=True, capture_output=True,
        check=False, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sys.stderr.write(done.stderr)
    return done.stdout


def occurrences(text: str) -> dict[str, dict[str, Any]]:
    """The latest of each schedule; the listing begins with the newest."""
    return {each["schedule"]: each for each in reversed(json.loads(text)["occurrences"])}


def test_from_a_broken_promise_to_an_incident_to_its_resolve(testbed: TestbedState, tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(testbed.target.read_text())
    key = "seatrial/testbed/promise"
    with PagerDutyDouble() as double:
        (tmp_path / "x.yaml").write_text(EXPERIMENT.format(p95="1us"))
        (tmp_path / "first.yaml").write_text(SCHEDULE.format(name="first"))
        seatrial(testbed, double, tmp_path, "schedule", "start", "--once", "first.yaml")
        became = occurrences(seatrial(testbed, double, tmp_path, "schedule", "history", "--json"))
        assert double.open(key) is not None, json.dumps(became)
        (tmp_path / "x.yaml").write_text(EXPERIMENT.format(p95="2s"))
        (tmp_path / "second.yaml").write_text(SCHEDULE.format(name="second"))
        seatrial(testbed, double, tmp_path, "schedule", "start", "--once", "second.yaml")
        became = occurrences(seatrial(testbed, double, tmp_path, "schedule", "history", "--json"))
        assert double.open(key) is None or became["second"]["verdict"] == "unknown", became
    assert became["first"]["state"] == "run"
    assert became["first"]["verdict"] == "fail"
    assert became["second"]["state"] == "run"
