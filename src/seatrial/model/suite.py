"""A suite: experiments that are run one after the other, with one summary and one exit code."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from seatrial.model.experiment import Name
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, as_tuple


class Suite(Strict):
    """One file in `chaos/suites/`: experiments, run one after the other on one target.

        suite: monthly
        experiments: [database-primary-crash.yaml, redis-outage.yaml]

    One that leaves something behind ends the suite, and those that follow are not run.
    """

    suite: Name = Field(examples=["monthly"])
    """Its name."""
    title: str = Field(default="", examples=["The monthly drill"])
    """What its summary is headed with."""
    experiments: Annotated[
        tuple[str, ...], BeforeValidator(as_tuple), Field(json_schema_extra={"minItems": 1})
    ] = Field(examples=[["chaos/redis-outage.yaml"]])
    """Their files; paths from the working directory, or from the suite's own."""
    pause: Duration = Duration(2.0)
    """The time between two runs."""

    @field_validator("experiments")
    @classmethod
    def _not_empty(cls, experiments: tuple[str, ...]) -> tuple[str, ...]:
        if not experiments:
            raise ValueError("a suite of nothing shows nothing")
        return experiments
