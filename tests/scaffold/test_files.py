"""What is written is right: taken by the schemas beside it, planned as it stands, and never written over."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from seatrial.model.document import parse
from seatrial.model.problems import BadInput
from seatrial.scaffold import files_of, service_of, write
from seatrial.trials.examination import problems_of
from seatrial.trials.request import TrialRequest


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    write(files_of(service_of("")), tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["target", "load", "deploy", "monthly"])
def test_each_file_names_the_schema_beside_it_and_is_taken_by_it(written: Path, name: str) -> None:
    file = written / "chaos" / f"{name}.yaml"
    head, _, text = file.read_text().partition("\n")
    named = head.removeprefix("# yaml-language-server: $schema=")
    schema = json.loads((file.parent / named).read_text())
    assert [*Draft202012Validator(schema).iter_errors(parse(text, name).data)] == []


@pytest.mark.parametrize("name", ["load", "deploy"])
def test_each_experiment_can_be_planned_as_it_stands(written: Path, name: str) -> None:
    request = TrialRequest(f"chaos/{name}.yaml", target="chaos/target.yaml")
    assert problems_of(request) == []


def test_the_deploy_is_a_program_and_the_job_runs_what_is_there(written: Path) -> None:
    assert os.access(written / "chaos/deploy.sh", os.X_OK)
    job = yaml.safe_load((written / ".github/workflows/seatrial.yaml").read_text())
    commands = [step["run"] for step in job["jobs"]["load"]["steps"] if "run" in step]
    named = [word for command in commands for word in command.split() if word.startswith("chaos/")]
    assert named == ["chaos/load.yaml", "chaos/target.yaml"]
    assert all((written / each).is_file() for each in named)


def test_a_locustfile_of_ones_own_stands_in_the_place_of_a_scenario() -> None:
    texts = {str(path): text for path, text in files_of(service_of("", locustfile="../mine.py")).items()}
    assert "chaos/scenario.py" not in texts
    assert 'scenario: "../mine.py"' in texts["chaos/load.yaml"]
    assert 'scenario: "../mine.py"' in texts["chaos/deploy.yaml"]


def test_where_one_is_already_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "chaos").mkdir()
    (tmp_path / "chaos/load.yaml").write_text("mine")
    (tmp_path / "chaos/deploy.sh").symlink_to("nowhere")
    with pytest.raises(BadInput) as caught:
        write(files_of(service_of("")), tmp_path)
    told = [str(problem) for problem in caught.value.problems]
    assert [line.partition(": ")[0] for line in told] == [
        str(tmp_path / "chaos/load.yaml"),
        str(tmp_path / "chaos/deploy.sh"),
    ]
    assert (tmp_path / "chaos/load.yaml").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["chaos", "deploy.sh", "load.yaml"]
