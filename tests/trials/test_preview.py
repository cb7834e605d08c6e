"""A dry run shows who would be touched, and looks at nobody in a way that ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel
from tests.support.planning import EXPERIMENT, TARGET

from seatrial import files
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.run.plan import Plan, PlannedStep, make_plan
from seatrial.trials.preview import previewed
from seatrial.undo.protocol import ANY, Declared, Undo


class Nothing(BaseModel):
    """No state."""


class Looked(Declared):
    """A fault whose look comes to whatever it is told; it may be warmed by nobody here."""

    name: ClassVar[str] = "test.looked"
    drivers: ClassVar[frozenset[str]] = ANY

    comes_to: str = ""

    def prepare(self, role: Role) -> Undo:
        match self.comes_to:
            case "unavailable":
                raise Unavailable("nobody answers")
            case "foreign":
                raise KeyError("unheard-of")
        return self.noting(role, Nothing(), touches="process 4711", by_hand="kill -CONT 4711")

    def warm(self, undo: Undo) -> None:
        raise AssertionError("a dry run starts nothing")

    def inject(self, undo: Undo) -> None:
        raise AssertionError("a dry run injects nothing")

    def undo(self, undo: Undo) -> None:
        raise AssertionError("there is nothing to undo")


def planned(directory: Path, comes_to: str = "") -> Plan:
    """A plan of one step, whose look comes to that."""
    for name, text in {"x.yaml": EXPERIMENT, "t.yaml": TARGET, "s.py": ""}.items():
        (directory / name).write_text(text)
    experiment, target = str(directory / "x.yaml"), str(directory / "t.yaml")
    plan = make_plan(files.read(experiment, "experiment"), files.read(target, "target"))
    role = Role.of(plan.target, "worker", directory)
    return replace(plan, steps=(PlannedStep("look", 1.0, None, Looked(comes_to=comes_to), role),))


@pytest.mark.parametrize(
    ("comes_to", "touches", "by_hand"),
    [
        ("", "process 4711", "kill -CONT 4711"),
        ("unavailable", "worker: nobody answers", ""),
        ("foreign", "worker: test.looked: prepare raised KeyError: 'unheard-of'", ""),
    ],
)
def test_a_look_that_comes_to_nothing_is_shown_as_what_it_came_to(
    tmp_path: Path, comes_to: str, touches: str, by_hand: str
) -> None:
    (step,) = previewed(planned(tmp_path, comes_to), looks=True).steps
    assert step.touches.startswith(touches)
    assert step.by_hand == by_hand


def test_nobody_is_looked_at_while_the_target_is_not_there(tmp_path: Path) -> None:
    found = previewed(planned(tmp_path, "foreign"), looks=False)
    assert [step.touches for step in found.steps] == ["worker (process)"]
    assert not found.looked
