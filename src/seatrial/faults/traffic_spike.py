"""More traffic for a while: arrivals come many times as fast, as on the day of a sale.

    {at: 10s, fault: traffic.spike, for: 10s, with: {times: 10}, name: spike}

The load does it and the target is not touched, so there is nothing to undo. Arrivals are computed before a
run: a spike begins and ends exactly when it was planned to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from seatrial.model.role import Role
from seatrial.model.strict import counted_in
from seatrial.undo.protocol import ANY, Declared, Undo


class Untouched(BaseModel):
    """There is nothing to note of whom nothing is done to."""


class TrafficSpike(Declared):
    """Makes arrivals come faster."""

    name: ClassVar[str] = "traffic.spike"
    drivers: ClassVar[frozenset[str]] = ANY

    times: Annotated[float, Field(gt=0, le=1000), counted_in("times as fast")] = 10.0
    """How many times as fast arrivals come while it lasts."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:  # noqa: ARG003  # the load is meant
        return [{"times": 3.0}]  # ten times may be more than whoever explores can send

    def arrival_factor(self) -> float:
        """How many times as fast arrivals come while it lasts."""
        return self.times

    def prepare(self, role: Role) -> Undo:
        return self.noting(role, Untouched(), touches="nobody: the load alone", by_hand="")

    def inject(self, undo: Undo) -> None:
        """Nothing: the arrivals were computed with it."""

    def undo(self, undo: Undo) -> None:
        """Nothing: they end with it."""
