"""The two programs as the testbed starts them, with one rule that is always true: both are asked for it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

from seatrial.lookups.alerts import Alerts
from seatrial.model.alerts import AlertsSeen
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.testbed.part import Part
from seatrial.testbed.parts import monitoring
from seatrial.testbed.programs import Programs, find_monitoring
from seatrial.testbed.topology import Endpoint, Topology

RULE = {"alert": "Always", "expr": "vector(1) > 0", "labels": {"severity": "ticket"}}


@contextlib.contextmanager
def running(part: Part, directory: Path, **files: str) -> Iterator[None]:
    directory.mkdir()
    for name, text in {**part.files, **files}.items():
        (directory / name).write_text(text)
    environment = {**os.environ, **part.environment}
    process = subprocess.Popen(part.command, cwd=directory, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def seen(driver: str, at: Endpoint) -> AlertsSeen | None:
    role = Role("alerts", driver, {"url": f"http://{at}"}, ("127.0.0.1",), ".")
    (looker,) = Alerts().lookers(role).values()
    try:
        return looker.seen()
    except Unavailable:
        return None  # it is still starting
    finally:
        looker.close()


def test_what_fires_in_prometheus_reaches_the_alertmanager_and_both_say_so(
    tmp_path: Path, topology: Topology, programs: Programs
) -> None:
    found = find_monitoring()
    if found is None:
        pytest.skip("prometheus and prometheus-alertmanager are not installed")
    here = replace(
        topology,
        prometheus=Endpoint("127.0.0.1", free_port()),
        alertmanager=Endpoint("127.0.0.1", free_port()),
    )
    prometheus, alertmanager = monitoring.watchers(here, replace(programs, monitoring=found))
    rules = yaml.safe_dump({"groups": [{"name": "always", "rules": [RULE]}]})
    with (
        running(alertmanager, tmp_path / "alertmanager"),
        running(prometheus, tmp_path / "prometheus", **{"alert_rules.yaml": rules}),
    ):
        for driver, at in (("prometheus", here.prometheus), ("alertmanager", here.alertmanager)):

            def fires(driver: str = driver, at: Endpoint = at) -> bool:
                told = seen(driver, at)
                return told is not None and [each.name for each in told.firing] == ["Always"]

            wait_until(fires, 30)
            told = seen(driver, at)
            assert told is not None
            assert told.firing[0].labels["severity"] == "ticket"
            assert (told.firing[0].since_epoch_s is not None) == (driver == "prometheus")
            assert told.clock_epoch_s is not None
            assert told.rules == ({"Always": ""} if driver == "prometheus" else None)
