"""A bill: what each day cost, as a file that somebody exports, or one that nobody has paid.

    billing: {driver: billing, file: exports/billing.csv}

The check cost-alert plants anomalies into a copy of it; the bill itself is only read.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seatrial.drivers.binding import Binding
from seatrial.model.strict import about, counted_in


class BillingBinding(Binding):
    """A bill: a CSV of days and costs, an export in FOCUS, or a synthetic one."""

    driver: ClassVar[str] = "billing"

    file: str = Field(default="", examples=["exports/billing.csv"])
    """A CSV of `day,cost`, or an export in FOCUS, compressed or not; a path from the target's file. Hours are
    added up to days."""
    column: Literal["BilledCost", "EffectiveCost", "ContractedCost", "ListCost"] = "BilledCost"
    """Which cost of an export in FOCUS."""
    synthetic: Annotated[int | None, counted_in("seed")] = Field(default=None, ge=0, examples=[7])
    """In place of a file: the seed of 120 invented days, for a target that costs nothing."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.file) == (self.synthetic is not None):
            raise about("file", "say either a file or the seed of a synthetic bill")
        return self
