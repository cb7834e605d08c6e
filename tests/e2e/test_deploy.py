"""A deploy of somebody's own service, by their script, as a step of an experiment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.edges import release

pytestmark = pytest.mark.e2e

LOCUSTFILE = """\
from locust import HttpUser, between, task
class Visitor(HttpUser):
    wait_time = between(1, 3)
    @task
    def home(self):
        self.client.get("/")
"""
EXPERIMENT = """\
experiment: deploy
load: {scenario: locustfile.py, rate: 100/s}
warmup: 500ms
duration: 3s
timeline:
  - {at: 1s, action: command.run, on: app, name: deploy, with: {run: [./deploy.sh, green]}}
objectives:
  errors: {max: 1%}
"""


class Shop:
    """A directory as its owner has it: a locustfile, a deploy script, a target, an experiment."""

    def __init__(self, directory: Path, address: str, script: str) -> None:
        self.directory = directory
        target = {"target": "shop", "base_url": f"http://{address}", "roles": {"app": {"driver": "process"}}}
        files = {"locustfile.py": LOCUSTFILE, "deploy.yaml": EXPERIMENT, "target.yaml": json.dumps(target)}
        for name, content in {**files, "deploy.sh": f"#!/bin/sh\n{script}\n"}.items():
            (directory / name).write_text(content)
        (directory / "deploy.sh").chmod(0o755)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "seatrial",
            "run",
            "deploy.yaml",
            "--target",
            "target.yaml",
            *options,
        ]
        home = {"SEATRIAL_HOME": str(self.directory / "home")}
        return subprocess.run(
            command, cwd=self.directory, env=os.environ | home, capture_output=True, text=True, check=False
        )

    def verdict(self) -> dict[str, Any]:
        (found,) = self.directory.glob("runs/*/verdict.json")
        return dict(json.loads(found.read_text()))

    def said(self) -> str:
        (found,) = self.directory.glob("runs/*/step-deploy.log")
        return found.read_text()


@pytest.mark.long
def test_a_deploy_script_is_a_step_that_stays(tmp_path: Path) -> None:
    with release("blue") as address:
        shop = Shop(tmp_path, address, "echo deploying $1; sleep 0.3; echo done")
        dry = shop.run("--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert "no undo is declared" in " ".join(dry.stdout.split())
        done = shop.run()
        assert done.returncode in (0, 2), done.stdout + done.stderr
    (step,) = shop.verdict()["steps"]
    assert (step["undo"], step["error"]) == ("lasting", "")
    assert shop.said() == "deploying green\ndone\n"


@pytest.mark.long
def test_a_deploy_script_that_fails_leaves_an_unknown_run_with_its_last_lines(tmp_path: Path) -> None:
    with release("blue") as address:
        shop = Shop(tmp_path, address, "echo pulling; echo no such image: green; exit 3")
        assert shop.run().returncode == 2
    verdict = shop.verdict()
    assert verdict["verdict"] == "unknown"
    assert any(
        "deploy.sh failed with 3: pulling | no such image: green" in reason for reason in verdict["reasons"]
    )
    assert shop.said() == "pulling\nno such image: green\n"
