"""What evidence says of the files that a run is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seatrial import files
from seatrial.disk import file_digest
from seatrial.run.description import description_of
from seatrial.run.plan import make_plan

EXPERIMENT = """\
experiment: shop
load: {scenario: shop.py, rate: 100/s}
duration: 10s
steady_state: [{http: /}]
timeline:
  - {at: 1s, action: command.run, on: app, with: {run: [./deploy.sh, "${TOKEN}"], undo: [sh, back.sh]}}
"""
TARGET = """\
target: shop
base_url: http://127.0.0.1:9000
version: {command: [./version.sh]}
roles:
  app: {driver: process, pidfile: app.pid}
  unused: {driver: process, start: [./start.sh]}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOKEN", "deploy.sh.secret")
    Path("x.yaml").write_text(EXPERIMENT)
    Path("shop.py").write_text("import steps\n")
    Path("steps.py").write_text("")
    Path("targets").mkdir()
    Path("targets/t.yaml").write_text(TARGET)
    for name in ("deploy.sh", "back.sh", "version.sh", "start.sh"):
        path = Path("targets", name)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    return tmp_path


def test_evidence_says_which_files_a_run_was_made_of(here: Path) -> None:
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("targets/t.yaml", "target"))
    described = json.loads(json.dumps(description_of(plan)))
    assert [(part["kind"], part["file"]) for part in described["made_of"]] == [
        ("scenario", "shop.py"),
        ("module", "steps.py"),
        ("program", "targets/deploy.sh"),
        ("program", "targets/back.sh"),
        ("program", "targets/version.sh"),
        ("target", "targets/t.yaml"),
    ]
    assert all(part["sha256"] == file_digest(here / part["file"]) for part in described["made_of"])
    assert "deploy.sh.secret" not in json.dumps(described)


def test_the_target_that_the_testbed_makes_anew_at_each_start_is_kept_whole_and_not_by_its_hash(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_HOME", str(here / "targets"))
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("targets/t.yaml", "target"))
    described = description_of(plan)
    assert "target" not in {part["kind"] for part in described["made_of"]}
    assert described["target"]["base_url"] == "http://127.0.0.1:9000"
