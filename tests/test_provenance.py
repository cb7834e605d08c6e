"""Every file that a run is made of is known by its name and its hash, and a change of any is told."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.provenance import Part, changes, programs, standing_now, written_parts

EXPERIMENT = """\
experiment: shop
load: {scenario: loadtests/shop.py, rate: 100/s, data: {file: users.csv, secret: [password]}}
duration: 10s
timeline:
  - {at: 1s, action: tenants.migrate, on: tenants, with: {tool: dbmate, migrations: db/migrations}}
"""
FILES = {
    "loadtests/shop.py": "import steps\n",
    "loadtests/steps.py": "",
    "users.csv": "user,password\nada,hunter2\n",
    "db/migrations/1_orders.sql": "CREATE TABLE orders ();\n",
    "x.yaml": EXPERIMENT,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        written(name, text)
    return tmp_path


def written(name: str, text: str = "", mode: int = 0o644) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def experiment(text: str = EXPERIMENT) -> Experiment:
    return build(Experiment, parse(text, "x.yaml"))


def parts() -> list[Part]:
    return list(written_parts(experiment(), Path("x.yaml").resolve()))


def told(then: list[Part]) -> str:
    return changes(then, standing_now(then, Path("x.yaml").resolve(), experiment()))


def test_an_experiment_is_made_of_all_that_it_names_and_what_that_imports() -> None:
    kinds = {part.file: part.kind for part in parts()}
    assert kinds == {
        "loadtests/shop.py": "scenario",
        "loadtests/steps.py": "module",
        "users.csv": "data",
        "db/migrations/1_orders.sql": "migration",
    }
    assert {part.file: part.sha256 for part in parts()} == {
        name: sha256(FILES[name].encode()).hexdigest() for name in kinds
    }


def test_the_names_hold_where_the_experiment_lies_with_its_files(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written("elsewhere/y.txt")
    monkeypatch.chdir(here / "elsewhere")
    file = here / "x.yaml"
    found = list(written_parts(experiment(), file))
    assert {part.file for part in found} >= {"loadtests/shop.py", "loadtests/steps.py", "users.csv"}
    assert changes(found, standing_now(found, file, experiment())) == ""


@pytest.mark.parametrize("name", [name for name in FILES if name != "x.yaml"])
def test_a_change_of_any_is_told_by_its_name(name: str) -> None:
    then = parts()
    assert told(then) == ""
    written(name, FILES[name] + "\n")
    assert told(then) == f"{name} was changed since"
    Path(name).unlink()
    assert f"{name} is no longer there" in told(then)


def test_a_file_that_came_to_it_is_told_as_well() -> None:
    then = parts()
    written("db/migrations/2_more.sql")
    assert told(then) == "db/migrations/2_more.sql was not there then"


def test_of_many_changes_the_first_are_told_and_how_many_more() -> None:
    then = parts()
    for part in then:
        Path(part.file).unlink()
    assert told(then).endswith("users.csv is no longer there; and 1 more")


@pytest.mark.parametrize(
    ("written_as", "found"),
    [
        ({"run": ["./deploy.sh", "green"]}, ["deploy.sh"]),
        ({"run": "./deploy.sh green"}, ["deploy.sh"]),
        ({"inject": ["sh", "deploy.sh"], "undo": ["python3", "-u", "back.py"]}, ["deploy.sh", "back.py"]),
        ({"run": ["sh", "-c", "./deploy.sh green && python3 back.py"]}, ["deploy.sh"]),
        ({"run": ["sh", "-c", "python3 back.py"]}, ["back.py"]),
        ({"run": ["env", "A=1", "./deploy.sh"]}, ["deploy.sh"]),
        ({"type": "process", "path": "./deploy.sh"}, ["deploy.sh"]),
        ({"deep": [{"live": ["./deploy.sh", "--which"]}]}, ["deploy.sh"]),
        ({"run": ["/bin/sh", "-c", "true"]}, []),
        ({"run": ["./deploy.sh", "state.txt"]}, ["deploy.sh"]),
        ({"pidfile": "run/worker.pid", "sql": "select 'it''s", "url": "http://127.0.0.1:1/back.py"}, []),
        ({"run": ["./none.sh"], "within": 3, "wait": True, "long": "x" * 5000, "nul": "a/\0"}, []),
    ],
)
def test_programs_are_found_however_they_are_written(
    here: Path, written_as: Mapping[str, Any], found: list[str]
) -> None:
    written("deploy.sh", "#!/bin/sh\n", 0o755)
    for name in ("back.py", "state.txt", "run/worker.pid"):
        written(name)
    assert [part.file for part in programs([written_as], here)] == found


def test_a_program_is_looked_for_where_it_is_run(here: Path) -> None:
    written("targets/deploy.sh", "#!/bin/sh\n", 0o755)
    assert [part.file for part in programs([["./deploy.sh"]], here / "targets")] == ["targets/deploy.sh"]
    assert not list(programs([["./deploy.sh"]], here))
