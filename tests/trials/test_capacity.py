"""A search for capacity from its request to its record; the trials themselves are a test's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.results import result
from tests.trials.conftest import Person

from seatrial.capacity.objective import objectives_of
from seatrial.capacity.search import Settings, Stop
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.quantities import Duration
from seatrial.model.verdict import Verdict
from seatrial.run.evidence import Evidence
from seatrial.run.execute import Execution
from seatrial.run.plan import Plan
from seatrial.trials.capacity import CapacityFound, CapacityRequest, find_capacity
from seatrial.trials.records import Records
from seatrial.trials.request import TrialRequest

pytestmark = pytest.mark.usefixtures("files_here")


def search(
    person: Person, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[int], object]
) -> CapacityFound:
    """One whose trials all hold. `meanwhile` is called in each, with its number."""

    def execute(plan: Plan, home: Path, view: object, stop: object, out: Path, **_: object) -> Execution:
        meanwhile(int(out.name))
        return Execution(result(Verdict.PASS, experiment=plan.experiment.experiment), Evidence(out))

    monkeypatch.setattr("seatrial.trials.capacity.execute", execute)
    request = CapacityRequest(
        TrialRequest("x.yaml", target="t.yaml", evidence=Path("found")),
        OfferedRate.parse("600/min"),
        Settings(10.0, to_per_s=40.0, repeats=3),
        objectives_of(["p95 < 900ms"]),
        Duration(5.0),
        cool_down_s=0.0,
    )
    return find_capacity(request, person)


def changed_in(number: int, change: Callable[[], object]) -> Callable[[int], object]:
    return lambda trial: change() if trial == number else None


def test_a_search_comes_to_its_end_while_nothing_is_changed(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    reporter = Records.reporter

    def heard(self: Records, experiment: Any, command: str, *more: Any) -> Any:
        commands.append(command)
        return reporter(self, experiment, command, *more)

    monkeypatch.setattr(Records, "reporter", heard)
    done = search(person, monkeypatch, lambda _: None)
    assert (done.found.stop, done.result.verdict) == (Stop.HIGHEST, Verdict.PASS)
    assert commands == [  # the same search again, and no other
        (
            "seatrial capacity x.yaml --target t.yaml --from 600/min --to 2400/min "
            "--objective 'p95 <= 900ms, errors <= 1%' --trial 5s --cool-down 0s --within 10% --repeats 3"
        )
    ]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: Path("s.py").write_text("import lib\n"), "s.py was changed since"),
        (lambda: Path("s.py").unlink(), "s.py"),
        (lambda: Path("s.py").write_text("def (:\n"), "s.py"),
    ],
    ids=["changed", "gone", "broken"],
)
def test_what_trials_are_made_of_stays_what_it_was(
    person: Person, monkeypatch: pytest.MonkeyPatch, number: int, change: Callable[[], object], told: str
) -> None:
    """An interval between a trial of one scenario and a trial of another is none."""
    done = search(person, monkeypatch, changed_in(number, change))
    assert done.found.stop is Stop.CHANGED
    assert len(done.found.trials) == number - 1  # in which it may have been either
    assert done.result.verdict is Verdict.UNKNOWN
    (reason,) = done.result.reasons
    assert told in reason
    assert "further trials would be of something else" in reason
    document = json.loads(Path("found", "capacity.json").read_text())
    assert (document["over"], document["stop"]) == (True, "changed")
