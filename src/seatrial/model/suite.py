"""A suite: experiments that are run one after the other, with one summary and one exit code."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, field_validator

from seatrial.model.experiment import Name
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, as_tuple


class Suite(Strict):
    """One file in `chaos/suites/`. `pause` is the time between two runs."""

    suite: Name
    title: str = ""
    experiments: Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
    pause: Duration = Duration(2.0)

    @field_validator("experiments")
    @classmethod
    def _not_empty(cls, experiments: tuple[str, ...]) -> tuple[str, ...]:
        if not experiments:
            raise ValueError("a suite of nothing shows nothing")
        return experiments
