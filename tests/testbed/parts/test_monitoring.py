from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from seatrial.testbed.parts import monitoring
from seatrial.testbed.programs import MonitoringPrograms, Programs
from seatrial.testbed.topology import Topology

SUPPORT = Path(__file__).resolve().parents[2] / "support"


def promtool(*arguments: object) -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def watched(programs: Programs) -> Programs:
    found = MonitoringPrograms(Path("/usr/bin/prometheus"), Path("/usr/bin/prometheus-alertmanager"))
    return replace(programs, monitoring=found)


def test_without_its_programs_there_is_nobody(topology: Topology, programs: Programs) -> None:
    assert list(monitoring.watchers(topology, programs)) == []


def test_each_listens_where_the_topology_says(topology: Topology, programs: Programs) -> None:
    prometheus, alertmanager = monitoring.watchers(topology, watched(programs))
    assert f"--web.listen-address={topology.prometheus}" in prometheus.command
    assert f"--web.listen-address={topology.alertmanager}" in alertmanager.command
    assert "--cluster.listen-address=" in alertmanager.command  # it listens nowhere else
    told = yaml.safe_load(prometheus.files["prometheus.yml"])["alerting"]["alertmanagers"]
    assert told == [{"static_configs": [{"targets": [str(topology.alertmanager)]}]}]


def test_whatever_serves_is_scraped(in_namespaces: Topology) -> None:
    jobs = monitoring.prometheus_config(in_namespaces)["scrape_configs"]
    scraped = {job["job_name"]: {each["targets"][0] for each in job["static_configs"]} for job in jobs}
    assert scraped == {
        "app": {"10.77.1.2:8001", "10.77.1.2:8002", "10.77.2.2:8001", "10.77.2.2:8002"},
        "database": {"10.77.1.2:8008", "10.77.2.2:8008"},
        "replica": {"10.77.1.2:9101", "10.77.2.2:9101"},
        "edge": {"10.77.0.2:8404"},
    }


def test_promtool_accepts_the_configuration(tmp_path: Path, topology: Topology, programs: Programs) -> None:
    prometheus, _ = monitoring.watchers(topology, watched(programs))
    for name, text in prometheus.files.items():
        (tmp_path / name).write_text(text)
    assert "14 rules found" in promtool("check", "config", tmp_path / "prometheus.yml")


def test_each_rule_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "alert_rules.yaml").write_text(monitoring.rules())
    tested, fired = set[str](), set[str]()
    for name in ("testbed_alert_rules_test.yaml", "testbed_cost_rule_test.yaml"):
        shutil.copy(SUPPORT / name, tmp_path)
        assert "SUCCESS" in promtool("test", "rules", tmp_path / name)
        for story in yaml.safe_load((SUPPORT / name).read_text())["tests"]:
            asked = story["alert_rule_test"]
            fires = {each["alertname"] for each in asked if each.get("exp_alerts")}
            fired |= fires
            tested |= fires & {each["alertname"] for each in asked if not each.get("exp_alerts")}
    written = yaml.safe_load(monitoring.rules())["groups"]
    every = {rule["alert"] for group in written for rule in group["rules"]}
    assert (fired, tested) == (every, every - {"Watchdog"})  # which has no time at which it must not
