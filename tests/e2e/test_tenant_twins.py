"""Migrations of tenants that go wrong are seen to, each for the reason that it was made for, by name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long]


def verdict_of(named: str, tmp_path: Path) -> dict[str, Any]:
    """It brings the testbed up with as many tenants as it wants, and takes it down again."""
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", "run", f"chaos/twins/{named}.yaml", "--json"],
        cwd=tmp_path,
        env={**os.environ, "SEATRIAL_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("named", "check", "told"),
    [
        (
            "tenant-migration-blocking",
            "lock-waits",
            r"wanted \w+Lock on globex\.orders of tenant globex, behind .* which holds AccessExclusiveLock",
        ),
        ("tenant-without-a-policy", "tenant-isolation", r"1 not fenced: umbrella\.wishes \(no policy\)"),
        (
            "tenant-migration-fails-for-one",
            "tenants-at-version",
            r"^99 of 100 tenants at 20260301000000; 1 failed: tenant057 \(.*no_large_orders",
        ),
    ],
)
def test_a_twin_fails_and_names_what_is_wrong(named: str, check: str, told: str, tmp_path: Path) -> None:
    verdict = verdict_of(named, tmp_path)
    assert verdict["verdict"] == "fail", verdict["reasons"]
    found = {each["name"]: each for each in verdict["checks"]}
    assert found[check]["verdict"] == "fail", found
    assert re.search(told, found[check]["detail"]), found[check]["detail"]
    assert [name for name, each in found.items() if each["verdict"] == "fail"] == [check]


@pytest.mark.timeout(200)
def test_a_migration_that_is_killed_in_the_middle_is_gone_on_with(tmp_path: Path) -> None:
    verdict = verdict_of("tenant-migration-killed", tmp_path)
    found = {each["name"]: each for each in verdict["checks"]}
    at_version = found["tenants-at-version"]
    assert at_version["verdict"] == "pass", at_version
    assert (at_version["figures"]["starts"], at_version["figures"]["half_way"]) == (2, 0)
    assert found["tenant-isolation"]["verdict"] == "pass", found
    (recorded,) = tmp_path.glob("runs/*/recorded-versions-tenants.json")
    begun = [line for line in json.loads(recorded.read_text())["record"] if line["event"] == "begun"]
    assert [len(line["tenants"]) for line in begun] == [100, 100]
    assert 0 < len(begun[1]["left"]) < 100
