"""What every action shares: its undo goes back to what was before the run's first action on that role.

A story such as switch, roll back would otherwise be undone backwards step by step, and the target would live
through it a second time. The noted state has a field `before`; a later action takes it over from the first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

from pydantic import PrivateAttr

from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Kind, Undo


class Action(Declared):
    """The base of every action. Subclasses give `look`, `inject` and `undo`."""

    kind: ClassVar[Kind] = "action"
    _first: Undo | None = PrivateAttr(default=None)

    def following(self, first: Undo) -> Self:
        """This action, when `first` is the undo of the run's first action on the same role."""
        later = self.model_copy()
        later._first = first
        return later

    def prepare(self, role: Role) -> Undo:
        """Look, touch nothing, and note what there was before the first action."""
        undo = self.look(role)
        if self._first is None:
            return undo
        return replace(undo, state={**undo.state, "before": self._first.state["before"]})

    def look(self, role: Role) -> Undo:
        """What is there now, under `before`, and what undoing needs besides."""
        raise NotImplementedError
