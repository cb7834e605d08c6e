"""The active-active service of the testbed: both regions are written to while one of them is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.test_run import Desk

from seatrial.testbed import TestbedState

pytestmark = pytest.mark.e2e

KILLED = """\
experiment: replica-killed
load: {scenario: loadtests/regions.py, rate: 100/s}
warmup: 1s
duration: 8s
timeline:
  - at: 1s
    fault: http.call
    on: east.replica.admin
    for: 5s
    name: east-ahead
    with:
      inject: {path: /admin/clock, json: {offset_s: 5}}
      undo: {path: /admin/clock, json: {offset_s: 0}}
  - {at: 2s, fault: process.kill, on: west.replica, for: 2s, name: crash}
checks:
  - convergence
"""


def test_a_killed_replica_loses_nothing_that_it_acknowledged(testbed: TestbedState, tmp_path: Path) -> None:
    _, verdict, said = Desk(tmp_path, testbed).run(KILLED)
    (check,) = verdict["checks"]
    assert check["verdict"] == "pass", said
    figures = check["figures"]
    assert figures["acknowledged"] > 100
    assert figures["refused"] + figures["indeterminate"] > 0, "west was missed by nobody"
    assert figures["lost"] == figures["causality_violations"] == 0
    assert figures["drift_max_s"] > 1.0, "east's clock was right"
