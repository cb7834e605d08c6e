"""The data of a load is read before a run, and what is wrong with it told at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seatrial import files
from seatrial.model.problems import BadInput
from seatrial.model.secrets import shown
from seatrial.run.description import description_of
from seatrial.run.plan import Plan, make_plan

EXPERIMENT = """\
experiment: shop
load:
  scenario: scenario.py
  rate: 100/s
  data: users.csv
warmup: 5s
duration: 10s
"""
UNIQUE = EXPERIMENT.replace("users.csv", "{file: users.csv, order: unique}")
TARGET = "target: shop\nbase_url: http://127.0.0.1:9000\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.py").write_text("")


def plan(experiment: str = EXPERIMENT, rows: int = 3, content: bytes = b"") -> Plan:
    Path("users.csv").write_bytes(content or b"user,city\n" + b"ada,London\n" * rows)
    Path("x.yaml").write_text(experiment)
    Path("t.yaml").write_text(TARGET)
    return make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))


def problems(experiment: str = EXPERIMENT, rows: int = 3, content: bytes = b"") -> list[str]:
    with pytest.raises(BadInput) as caught:
        plan(experiment, rows, content)
    return [str(problem) for problem in caught.value.problems]


def test_a_plan_knows_the_file_by_its_digest_and_the_evidence_says_which_it_was() -> None:
    made = plan()
    digest = hashlib.sha256(Path("users.csv").read_bytes()).hexdigest()
    assert made.data is not None
    assert (made.data.path, made.data.sha256) == (Path("users.csv").resolve(), digest)
    described = description_of(made)
    assert described["data"] == {
        "file": "users.csv",
        "sha256": digest,
        "rows": 3,
        "columns": ("user", "city"),
        "order": "sequential",
        "secret": (),
    }
    assert "London" not in str(described)
    assert description_of(plan(EXPERIMENT.replace("  data: users.csv\n", "")))["data"] is None


def test_a_column_that_is_secret_has_to_be_there_and_this_process_shows_none_of_it() -> None:
    secret = EXPERIMENT.replace("users.csv", "{file: users.csv, secret: [token]}")
    assert problems(secret)[0].startswith(
        "x.yaml:5:16: load.data.file: users.csv:1: has no column 'token' to be secret"
    )
    made = plan(secret, content=b"user,token\nada,s3cret-T0ken\n")
    assert description_of(made)["data"]["secret"] == ("token",)
    assert shown("it said s3cret-T0ken") == "it said ${row.token}"


def test_it_is_found_beside_the_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    made = make_plan(files.read("../x.yaml", "experiment"), files.read("../t.yaml", "target"))
    assert made.data is not None
    assert made.data.path == tmp_path / "users.csv"


def test_a_mistake_is_told_with_both_places() -> None:
    assert problems(content=b"a,b\n1\n2,3,4\n") == [
        "x.yaml:5:9: load.data: users.csv:2: has 1 value, and the header 2 columns",
        "x.yaml:5:9: load.data: users.csv:3: has 3 values, and the header 2 columns",
    ]
    (problem,) = problems(UNIQUE.replace("file: users.csv", "file: nowhere.csv"))
    assert problem.startswith("x.yaml:5:16: load.data.file: no such file here")
    (problem,) = problems(UNIQUE.replace("unique", "uniqe"))
    assert problem.startswith(
        "x.yaml:5:34: load.data.order: 'uniqe' is not one of sequential, random, unique"
    )


def test_rows_to_be_given_once_must_do_for_every_arrival_of_the_plan() -> None:
    assert plan(UNIQUE, rows=1500).data is not None
    (problem,) = problems(UNIQUE, rows=1499)
    assert problem.startswith(
        "x.yaml:5:34: load.data.order: 1,500 arrivals are due, warm-up included, and there are 1,499 rows, each"
    )
    spiked = f"{UNIQUE}timeline:\n  - {{at: 2s, fault: traffic.spike, for: 1s, with: {{times: 3}}}}\n"
    (problem,) = problems(spiked, rows=1500)
    assert "1,700 arrivals are due" in problem
