"""One experiment: load, a timeline of faults and actions, and what the run is judged on."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from seatrial.model.probe import ProbeSpec
from seatrial.model.quantities import Duration, Rate, Ratio
from seatrial.model.shape import starts_in_order
from seatrial.model.strict import Strict, about, as_tuple

Severity = Literal["critical", "error", "warning", "info"]

_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")


def _a_name(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > 80:
        raise PydanticCustomError("name", "a name is made of a-z, 0-9 and - _ . between them, 80 at most")
    return value


def _some_time(length: Duration) -> Duration:
    if length.seconds <= 0:
        raise ValueError("must be longer than 0s")
    return length


def _one_or_many(value: object) -> object:
    """A single mapping where a list may stand means a list of one."""
    return tuple(value) if isinstance(value, list) else (value,)


def _as_shape(value: object) -> object:
    """`10000/min` is short for a shape of one step."""
    return as_tuple(value) if isinstance(value, list) else ({"at": "0s", "rate": value},)


Name = Annotated[str, BeforeValidator(_a_name)]
Lasting = Annotated[Duration, AfterValidator(_some_time)]
Parameters = Annotated[dict[str, Any], Field(default_factory=dict)]


class RatePoint(Strict):
    """From `at` (after the start of the measured part) on, this rate."""

    at: Duration
    rate: Rate


class Load(Strict):
    """Which scenario is driven, how hard."""

    scenario: str
    rate: Annotated[tuple[RatePoint, ...], BeforeValidator(_as_shape)]
    arrivals: Literal["even", "poisson"] = "even"
    seed: Annotated[int, Field(ge=0)] = 0
    deadline: Lasting = Duration(2.0)
    scenario_errors: Ratio = Ratio(0.0)  # the share of arrivals whose task may raise before nothing can pass

    @field_validator("rate")
    @classmethod
    def _a_shape(cls, shape: tuple[RatePoint, ...]) -> tuple[RatePoint, ...]:
        if not starts_in_order([point.at.seconds for point in shape]):
            raise ValueError("a shape starts at 0s and its steps follow one another in time")
        if all(point.rate.count == 0 for point in shape):
            raise ValueError("a load of nothing measures nothing")
        return shape


class Step(Strict):
    """A fault or an action, at an instant of the measured part."""

    at: Duration
    fault: str | None = None
    action: str | None = None
    on: str = ""
    for_: Duration | None = Field(default=None, alias="for")
    with_: Parameters = Field(alias="with")
    name: Name | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if (self.fault is None) == (self.action is None):
            raise ValueError("a step is either a fault or an action")
        if self.for_ is not None and self.for_.seconds <= 0:
            raise about("for", "must be longer than 0s; left out, a fault lasts until the end")
        return self

    @property
    def does(self) -> str:
        """What is done: process.kill, deploy.rollback …"""
        return self.fault or self.action or ""

    @property
    def label(self) -> str:
        """How people call it: its name, else what it does."""
        return self.name or self.does


class DowntimeObjective(Strict):
    """The longest downtime allowed, over the whole run or after a named step."""

    max: Duration
    after: str | None = None


class RecoveryObjective(Strict):
    """The longest time from a step's effect until the service is steady again."""

    max: Duration
    after: str


class LatencyObjective(Strict):
    """Highest latency allowed, from the intended start."""

    p50: Duration | None = None
    p90: Duration | None = None
    p95: Duration | None = None
    p99: Duration | None = None
    max: Duration | None = None

    @model_validator(mode="after")
    def _something(self) -> LatencyObjective:
        if not self.limits():
            raise ValueError("limits nothing; write a percentile: p95: 900ms")
        return self

    def limits(self) -> dict[str, Duration]:
        """The percentiles that are limited."""
        return {name: limit for name in ("p50", "p90", "p95", "p99", "max") if (limit := getattr(self, name))}


class ErrorsObjective(Strict):
    """The largest share of arrivals that may be bad."""

    max: Ratio


class ThroughputObjective(Strict):
    """The lowest rate of good answers over the measured part."""

    min: Rate


class Objectives(Strict):
    """What is promised. Of nothing promised the verdict is unknown."""

    downtime: Annotated[tuple[DowntimeObjective, ...], BeforeValidator(_one_or_many)] = ()
    recovery: Annotated[tuple[RecoveryObjective, ...], BeforeValidator(_one_or_many)] = ()
    latency: LatencyObjective | None = None
    errors: ErrorsObjective | None = None
    throughput: ThroughputObjective | None = None


class Check(Strict):
    """A judge of the recorded history, and its parameters: `name`, or `name: {parameter: value}`."""

    check: str
    with_: Parameters = Field(alias="with")

    @model_validator(mode="before")
    @classmethod
    def _by_its_name(cls, item: object) -> object:
        if isinstance(item, str):
            return {"check": item, "with": {}}
        if isinstance(item, dict) and len(item) == 1:
            ((name, parameters),) = item.items()
            return {"check": name, "with": parameters if parameters is not None else {}}
        raise ValueError("a check is its name, or one name with its parameters: served-by: {release: blue}")


class Guard(Strict):
    """A condition that, held for a while, ends the run and undoes everything."""

    errors: Ratio | None = None
    p95: Duration | None = None
    probe: ProbeSpec | None = None
    for_: Duration = Field(default=Duration(5.0), alias="for")

    @model_validator(mode="after")
    def _something(self) -> Guard:
        if self.errors is None and self.p95 is None and self.probe is None:
            raise ValueError("a guard needs a condition: errors, p95 or probe")
        return self


class Incident(Strict):
    """How loud a failure is."""

    severity: Severity = "error"


class Experiment(Strict):
    """One file in `chaos/`. Only `experiment`, `load` and `duration` are required."""

    experiment: Name
    title: str = ""
    hypothesis: str = ""
    covers: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    load: Load
    warmup: Duration = Duration(5.0)
    duration: Lasting
    settle: Duration = Duration(1.0)
    steady_state: Annotated[tuple[ProbeSpec, ...], BeforeValidator(as_tuple)] = ()
    timeline: Annotated[tuple[Step, ...], BeforeValidator(as_tuple)] = ()
    objectives: Objectives = Objectives()
    checks: Annotated[tuple[Check, ...], BeforeValidator(as_tuple)] = ()
    guards: Annotated[tuple[Guard, ...], BeforeValidator(as_tuple)] = ()
    incident: Incident | None = None
