"""The policy gate where others call it: before a commit, by pre-commit, and in a GitHub Action."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "policy" / "action.yml"
PAGE = ROOT / "chaos" / "policies" / "README.md"
RULES = 'package main\ndeny contains msg if { input.kind == "A"; msg := "A is denied" }\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A work tree with a policy, and a `seatrial` and a `pip` on PATH."""
    place, programs = tmp_path / "project", tmp_path / "bin"
    (place / "chaos" / "policies").mkdir(parents=True)
    programs.mkdir()
    (place / "chaos" / "policies" / "p.rego").write_text(RULES)
    (place / "a.yaml").write_text("kind: B\n")
    shim = programs / "seatrial"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m seatrial "$@"\n')
    shim.chmod(0o755)
    run(place, "git", "init", "-q", "-b", "main")
    return place


def run(place: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{place.parent / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SEATRIAL_HOME": str(place.parent / "home"),
        "PRE_COMMIT_HOME": str(place.parent / "pre-commit"),
        "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org",
        **more,
    }  # fmt: skip
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=90
    )


def test_the_hook_as_the_page_shows_it_keeps_a_denial_from_being_committed(project: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(repos:.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (project / ".pre-commit-config.yaml").write_text(shown)
    installed = run(project, sys.executable, "-m", "pre_commit", "install")
    assert installed.returncode == 0, installed.stderr
    run(project, "git", "add", "-A")
    first = run(project, "git", "commit", "-q", "-m", "first")
    assert first.returncode == 0, first.stderr
    (project / "a.yaml").write_text("kind: A\n")
    refused = run(project, "git", "commit", "-q", "-a", "-m", "second")
    assert refused.returncode != 0
    assert "a.yaml:1: A is denied [main.deny]" in refused.stdout + refused.stderr
    assert run(project, "git", "log", "--format=%s").stdout.split() == ["first"]


def script(action: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The last step's script, and its environment with the defaults of the inputs filled in."""
    step = action["runs"]["steps"][-1]
    filled = {
        name: re.sub(
            r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: action["inputs"][found[1]]["default"], value
        )
        for name, value in step["env"].items()
    }
    return step["run"], filled


def test_the_action_runs_as_written(project: Path) -> None:
    text, environment = script(yaml.safe_load(ACTION.read_text()))
    assert "${{" not in text  # what others choose reaches the script by the environment alone
    passed = run(project, "bash", "-e", "-o", "pipefail", "-c", text, **environment)
    assert passed.returncode == 0, passed.stderr
    assert (project / "policy.sarif").is_file()
    assert (project / ".seatrial-policy" / "memory.sqlite").is_file()
    (project / "a.yaml").write_text("kind: A\n")
    given = {**environment, "PATHS": "a.yaml chaos", "POLICIES": "chaos/policies", "SARIF": "out.sarif"}
    denied = run(project, "bash", "-e", "-o", "pipefail", "-c", text, **given)
    assert denied.returncode == 1
    assert "A is denied" in (project / "out.sarif").read_text()


def test_every_input_of_the_action_is_used_and_told() -> None:
    action = yaml.safe_load(ACTION.read_text())
    assert action["runs"]["using"] == "composite"
    used = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", ACTION.read_text()))
    assert used == set(action["inputs"])
    assert all(each["description"] for each in action["inputs"].values())
    assert all(step.get("shell") == "bash" for step in action["runs"]["steps"] if "run" in step)


def test_what_the_page_says_of_commands_is_so() -> None:
    shown = re.findall(r"^\$ seatrial (policy check[^#\n]*)", PAGE.read_text(), flags=re.MULTILINE)
    told = subprocess.run(
        [sys.executable, "-m", "seatrial", "policy", "check", "--help"],
        env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    options = {word for command in shown for word in command.split() if word.startswith("--")}
    options |= set(re.findall(r"`(--[a-z-]+)", PAGE.read_text())) - {"--trace", "--v0-v1"}
    assert options
    assert [option for option in sorted(options) if option not in told] == []
