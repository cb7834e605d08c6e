"""An OpenSLO file is a promise like those that the experiment makes itself, and is kept with the evidence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.model.test_openslo import RATIO

from seatrial import files
from seatrial.model.document import build, parse
from seatrial.model.errorbudget import THREE_NINES, Allowance
from seatrial.model.experiment import Objectives
from seatrial.model.problems import BadInput
from seatrial.model.result import plain
from seatrial.run.description import description_of
from seatrial.run.plan import Plan, make_plan

EXPERIMENT = """\
experiment: shop
load: {scenario: scenario.py, rate: 100/s}
duration: 10s
objectives:
  openslo: slo.yaml
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.py").write_text("")
    (tmp_path / "slo.yaml").write_text(RATIO)
    (tmp_path / "t.yaml").write_text("target: shop\nbase_url: http://127.0.0.1:9000\n")


def plan(experiment: str = EXPERIMENT) -> Plan:
    Path("x.yaml").write_text(experiment)
    return make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))


def problem(experiment: str = EXPERIMENT) -> str:
    with pytest.raises(BadInput) as caught:
        plan(experiment)
    (found,) = caught.value.problems
    assert found.explained_by
    return str(found)


def test_its_promise_is_among_the_objectives_and_its_budget_is_the_runs() -> None:
    made = plan(f"{EXPERIMENT}  downtime: {{max: 2s}}\n")
    objectives = made.experiment.objectives
    assert objectives.errors is not None
    assert (objectives.errors.max.fraction, len(objectives.downtime)) == (0.005, 1)
    assert made.allowance == Allowance(0.995, 28 * 86_400.0, "orders-answered")
    assert plan(EXPERIMENT.replace("openslo: slo.yaml", "errors: {max: 1%}")).allowance == THREE_NINES


def test_the_evidence_says_which_file_it_was_and_a_dead_run_is_judged_by_it() -> None:
    described = json.loads(json.dumps(plain(description_of(plan()))))
    digest = hashlib.sha256(Path("slo.yaml").read_bytes()).hexdigest()
    assert described["openslo"] == {"file": "slo.yaml", "sha256": digest}
    resolved = build(Objectives, parse(json.dumps(described["experiment"]["objectives"]), "plan.json"))
    assert resolved == plan().experiment.objectives
    assert Allowance(**described["allowance"]) == plan().allowance


def test_what_is_wrong_is_told_where_it_stands() -> None:
    told = problem(EXPERIMENT.replace("slo.yaml", "none.yaml"))
    assert told.startswith("x.yaml:5:12: objectives.openslo: no such file")
    told = problem(f"{EXPERIMENT}  errors: {{max: 1%}}\n")
    assert told == "x.yaml:6:3: objectives.errors: slo.yaml promises the same; keep one"
    Path("slo.yaml").write_text(RATIO.replace("Occurrences", "Timeslices"))
    assert problem().startswith("slo.yaml:18:20: spec.budgetingMethod: counts time slices")
