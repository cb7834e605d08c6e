"""A dry run shows who would be touched, and looks at nobody in a way that ends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import BaseModel
from tests.support.planning import EXPERIMENT, TARGET

from seatrial import files
from seatrial.cli.planning import show_plan
from seatrial.cli.terminal import out
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.run.plan import PlannedStep, make_plan
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


@pytest.mark.parametrize(
    ("comes_to", "shown"),
    [
        ("", "process 4711"),
        ("unavailable", "worker: nobody answers"),
        ("foreign", "worker: test.looked: prepare raised KeyError: 'unheard-of'"),
    ],
)
def test_a_look_that_comes_to_nothing_is_shown_as_what_it_came_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comes_to: str, shown: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(out, "_width", 300)
    for name, text in {"x.yaml": EXPERIMENT, "t.yaml": TARGET, "s.py": ""}.items():
        Path(name).write_text(text)
    plan = make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"))
    role = Role.of(plan.target, "worker", tmp_path)
    step = PlannedStep("look", 1.0, None, Looked(comes_to=comes_to), role)
    with out.capture() as captured:
        show_plan(replace(plan, steps=(step,)), look=True)
    assert shown in captured.get()
