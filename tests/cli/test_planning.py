"""A dry run looks at whom it would touch, and a fault that cannot look is a line of it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from seatrial.cli.planning import looked_at
from seatrial.faults import Role, Undo
from seatrial.faults.protocol import ANY, Declared
from seatrial.model.problems import Unavailable
from seatrial.run.plan import PlannedStep

ROLE = Role("cache", "redis", {}, (), ".")


class Looks(Declared):
    """A fault whose look fails as it is told."""

    name: ClassVar[str] = "test.looks"
    drivers: ClassVar[frozenset[str]] = ANY
    error: ClassVar[BaseException]

    def prepare(self, _role: Role) -> Undo:
        raise self.error

    def inject(self, _undo: Undo) -> None:
        """Never."""

    def undo(self, _undo: Undo) -> None:
        """Never."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("cache: no answer"), "cache: cache: no answer"),
        (KeyError("nope"), "cache: test.looks: prepare raised KeyError: 'nope' (test_planning.py:"),
        (SystemExit(3), "cache: test.looks: prepare raised SystemExit: 3 (test_planning.py:"),
    ],
)
def test_a_fault_that_cannot_look_is_told_in_its_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    monkeypatch.setattr(Looks, "error", error, raising=False)
    step: Any = PlannedStep("boom", 1.0, None, Looks(), ROLE)
    found = looked_at(step)
    assert isinstance(found, str)
    assert found.startswith(said)
