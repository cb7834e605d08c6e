"""What keeps an exploration from being started, all at once; and what may be chosen on a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.explore.record import Outcome, Purpose, Trial
from seatrial.explore.schedule import Injection
from seatrial.explore.writing import experiment_of, text_of
from seatrial.files import Source
from seatrial.model.document import parse
from seatrial.model.experiment import Experiment
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.verdict import Verdict
from seatrial.run.plan import make_plan
from seatrial.trials.exploration_store import held
from seatrial.trials.objectives import Asked, ExploreRequest, examined, space_of
from seatrial.trials.targets import planned_target

TARGET = """\
target: shop
environment: {environment}
base_url: http://127.0.0.1:9
roles:
  app: {{driver: process, pidfile: app.pid, start: [start-app]}}
  again: {{driver: process, pidfile: app.pid, start: [start-app]}}
  app.worker: {{driver: process, pidfile: worker.pid, start: [start-worker]}}
  away: {{driver: network, sides: {{a: [127.0.0.1/32], b: [127.0.0.2/32]}}, lacking: "needs root"}}
"""
OBJECTIVES = """\
experiment: promises
load: {scenario: visitor.py, rate: 50/s}
warmup: 1s
duration: 4.8s
timeline:
  - {at: 1s, fault: command.run, on: app, with: {inject: ["true"], undo: ["true"]}}
objectives:
  errors: {max: 5%}
  recovery: {max: 2s, after: last}
"""


@pytest.fixture
def request_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExploreRequest:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    Path("target.yaml").write_text(TARGET.format(environment="staging"))
    Path("promises.yaml").write_text(OBJECTIVES)
    Path("visitor.py").write_text("from locust import HttpUser\n")
    return ExploreRequest("target.yaml", "promises.yaml", without=("process.slow",))


@pytest.fixture
def asked(request_here: ExploreRequest) -> Asked:
    return examined(request_here)


def test_production_is_refused(request_here: ExploreRequest) -> None:
    Path("target.yaml").write_text(TARGET.format(environment="production"))
    with pytest.raises(BadInput) as refused:
        examined(request_here)
    assert [str(each) for each in refused.value.problems] == [
        "target.yaml:2:14: environment: a production target is never explored, confirmed or not"
    ]


def test_all_that_is_wrong_is_told_at_once_with_its_place(request_here: ExploreRequest) -> None:
    Path("promises.yaml").write_text(
        OBJECTIVES.replace("after: last", "after: crash").replace("fault: command.run", "action: command.run")
    )
    with pytest.raises(BadInput) as refused:
        examined(request_here)
    told = "\n".join(map(str, refused.value.problems))
    assert (
        "promises.yaml:9:30: objectives.recovery.after: which steps there are is chosen anew each time; write after: last"
        in told
    )
    assert "promises.yaml:6:22: timeline[0].action: only faults can be chosen" in told


@pytest.mark.parametrize("promised", ["", "objectives: {}\n", "checks: []\n"])
def test_what_promises_nothing_has_no_weakness_and_is_refused(
    request_here: ExploreRequest, promised: str
) -> None:
    Path("promises.yaml").write_text(OBJECTIVES[: OBJECTIVES.index("objectives:")] + promised)
    with pytest.raises(BadInput, match=r"promises\.yaml:1:1: promises nothing"):
        examined(request_here)


def test_a_check_is_a_promise(request_here: ExploreRequest) -> None:
    text = OBJECTIVES[: OBJECTIVES.index("objectives:")]
    Path("promises.yaml").write_text(f"{text}checks: [{{served-by: {{release: blue}}}}]\n")
    assert examined(request_here).experiment.checks


def test_a_budget_that_has_no_room_for_a_run_is_refused(request_here: ExploreRequest) -> None:
    with pytest.raises(BadInput, match="--budget 3s: one run takes about"):
        examined(ExploreRequest(request_here.target, request_here.objectives, budget_s=3.0))


def test_each_fault_on_each_thing_can_be_chosen_once(asked: Asked, request_here: ExploreRequest) -> None:
    space, left_out = space_of(asked, planned_target("target.yaml"), request_here, looks=False)
    assert space.slot_s == pytest.approx(0.1)
    assert set(space.keys) == {
        'command.run on app {"inject": ["true"], "undo": ["true"]}',
        "process.kill on app",
        "process.kill on app.worker",
        "process.pause on app",
        "process.pause on app.worker",
        'traffic.spike {"times": 3.0}',
    }
    why = {each.what: each.why for each in left_out}
    assert why["network.partition on away"] == "needs root"
    assert why["process.slow on app"] == "--without process.slow"
    assert why["database.lock"].startswith("needs table, which only you know")


def test_nothing_to_choose_is_refused(asked: Asked) -> None:
    with pytest.raises(BadInput, match="has nothing to explore"):
        space_of(asked, planned_target("target.yaml"), ExploreRequest(without=("*",)), looks=False)


@pytest.mark.parametrize("known", ["hsm.hang", "away", "process.*", "process.kill on app*", "database.lock"])
def test_what_is_to_be_left_out_must_be_known_or_it_would_be_injected(asked: Asked, known: str) -> None:
    system = planned_target("target.yaml")
    assert space_of(asked, system, ExploreRequest(without=(known,)), looks=False)
    for pattern in ("proces.slow", ""):
        with pytest.raises(BadInput, match="no fault or role is called so"):
            space_of(asked, system, ExploreRequest(without=(known, pattern)), looks=False)


def test_a_schedule_is_an_experiment_that_can_be_planned(asked: Asked, request_here: ExploreRequest) -> None:
    system = planned_target("target.yaml")
    space, _ = space_of(asked, system, request_here, looks=False)
    schedule = (Injection(0, "process.kill on app", 2), Injection(4, 'traffic.spike {"times": 3.0}', 1))
    data = experiment_of(
        asked.source.document.data, schedule, space, name="found", title="Weakness: a, b", hypothesis="why"
    )
    text = text_of(data, ["found by chance", ""])
    assert text.startswith("# found by chance\n#\n")
    assert "{at: 0s, fault: process.kill, on: app, for: 200ms, name: process-kill-app}" in text
    plan = make_plan(Source(Path("promises.yaml").resolve(), parse(text, "found.yaml")), system)
    assert isinstance(plan.experiment, Experiment)
    assert [each.after for each in plan.experiment.objectives.recovery] == ["traffic-spike"]
    alone = experiment_of(asked.source.document.data, (), space, name="control", title="")
    assert alone["objectives"] == {"errors": {"max": "5%"}}


def test_what_was_tried_is_kept_for_one_explorer_at_a_time(tmp_path: Path) -> None:
    trial = Trial((Injection(0, "a", 1),), Purpose.SEARCH, Outcome(Verdict.PASS))
    with held(tmp_path, "shop", 1.0) as tried:
        tried.keep(trial)
        with pytest.raises(Unavailable, match="is being explored already"), held(tmp_path, "shop", 1.0):
            pass
    (file,) = tmp_path.glob("explored/*.jsonl")
    with file.open("a") as lines:
        lines.write('{"kind": "tri')  # as a kill leaves it
    with held(tmp_path, "shop", 1.0) as tried:
        assert tried.record.trials == [trial]
        tried.keep(trial)
    with held(tmp_path, "shop", 1.0) as tried:
        assert tried.record.trials == [trial, trial]
    with held(tmp_path, "shop", 1.0, anew=True) as tried:
        assert not tried.record.trials
    assert file.stat().st_mode & 0o077 == 0
