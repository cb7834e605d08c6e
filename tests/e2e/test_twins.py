"""An experiment that must fail does fail, for the reason that it was made for, and leaves the testbed whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from seatrial.drivers.patroni import leader, require_whole
from seatrial.model.document import parse
from seatrial.model.role import Role
from seatrial.model.target import Target
from seatrial.testbed import TestbedState
from seatrial.undo import registry
from seatrial.waiting import try_until

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@pytest.fixture
def database(own_testbed: TestbedState) -> Role:
    target = Target.model_validate(parse(own_testbed.target.read_text(), "target.yaml").data)
    return Role.of(target, "database.primary", own_testbed.root)


def test_orders_that_only_a_lost_primary_had_are_seen_to_be_lost(
    own_testbed: TestbedState, database: Role, tmp_path: Path
) -> None:
    if own_testbed.topology.network is None:
        pytest.skip("on loopback the regions cannot be cut off from each other")
    led = _lead_from_east(database)
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", "run", "chaos/twins/acknowledged-but-lost.yaml", "--json"],
        cwd=tmp_path,
        env={**os.environ, "SEATRIAL_HOME": str(own_testbed.root.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    verdict = json.loads(done.stdout)
    (check,) = verdict["checks"]
    assert check["verdict"] == "fail", check
    assert check["figures"]["lost"] > 0
    assert 0 < check["figures"]["lost_s"] < 4, "no longer than the network was cut"
    assert "lost within" in verdict["reasons"][0]
    assert [fault["verified"] for fault in verdict["faults"]] == [True, True, True]
    require_whole(database)
    assert leader(database).name != led
    config = httpx.get(f"{database.parameters['url']}/config", trust_env=False).json()
    assert config["synchronous_mode"] is True


def _lead_from_east(database: Role) -> str:
    """Let the first member lead, as it does when the testbed is new; its name."""
    try_until(lambda: require_whole(database), 15.0)
    first = next(iter(database.parameters["members"]))
    switchover = registry.build("database.switchover", {"to": first})
    switchover.inject(switchover.prepare(database))
    try_until(lambda: require_whole(database), 15.0)
    assert leader(database).name == first
    return str(first)
