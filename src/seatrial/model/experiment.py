"""One experiment: load, a timeline of faults and actions, and what the run is judged on.

The text below each key is what `seatrial explain` and editors say of it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from seatrial.model.load import Load
from seatrial.model.probe import ProbeSpec
from seatrial.model.quantities import Duration, Lasting, Rate, Ratio
from seatrial.model.strict import (
    Strict,
    about,
    as_tuple,
    at_least_one,
    counted_in,
    exactly_one,
    one_or_many,
)

Severity = Literal["critical", "error", "warning", "info"]

_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")


def _a_name(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > 80:
        raise PydanticCustomError("name", "a name is made of a-z, 0-9 and - _ . between them, 80 at most")
    return value


Name = Annotated[
    str,
    BeforeValidator(_a_name),
    WithJsonSchema({"type": "string", "title": "name", "pattern": rf"^{_NAME.pattern}$", "maxLength": 80}),
]
Parameters = Annotated[dict[str, Any], Field(default_factory=dict)]


class Step(Strict):
    """A fault or an action, at an instant of the measured part.

        {at: 10s, fault: process.kill, on: worker, for: 15s, name: crash}

    A fault lasts for its time and is then undone; what an action did is put back at the end of the run.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("fault", "action"))

    at: Duration = Field(examples=["10s"])
    """When it is done, counted from the start of the measured part."""
    fault: str | None = Field(default=None, examples=["process.kill"])
    """Which fault; `seatrial explain fault` lists them."""
    action: str | None = Field(default=None, examples=["deploy.switch"])
    """Which action; `seatrial explain action` lists them. A step is either a fault or an action."""
    on: str = Field(default="", examples=["database.primary"])
    """The role of the target that it is done to."""
    for_: Duration | None = Field(default=None, alias="for", examples=["15s"])
    """How long a fault lasts; left out, until the end of the run. An action has no duration."""
    with_: Parameters = Field(alias="with")
    """The parameters of the fault or action, by name; `seatrial explain` and its name tells which."""
    name: Name | None = Field(default=None, examples=["crash"])
    """What objectives and reports call it; left out, the name of the fault or action."""

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
    """The longest downtime allowed, over the whole run or after a named step.

        downtime: {max: 5s, after: rollback}

    Downtime is known between bounds. The promise is kept when the upper bound keeps it and broken when the
    lower one breaks it; between the two the verdict is unknown, and a higher rate narrows them.

        downtime: [{max: 1s}, {max: 3s, per: tenant}]

    An outage of one tenant of many is a few bad requests among all, so each tenant can be promised something
    of its own: every one that the log knows is held to it, by the requests in its name alone.
    """

    max: Duration = Field(examples=["5s"])
    """The longest that is allowed."""
    after: str | None = Field(default=None, examples=["rollback"])
    """The step after which it counts; left out, over the whole run."""
    per: Literal["tenant"] | None = None
    """Whose downtime it is: each tenant's on its own; left out, that of everybody together.

    The upper bound is then never less than the longest time between two requests of one tenant, nor than
    the time before its first and behind its last. A scenario says in whose name it asks:
    `self.client.get("/", context={"tenant": "acme"})`.
    """


class RecoveryObjective(Strict):
    """The longest time from a step's effect until the service is steady again.

        recovery: {max: 30s, after: crash}

    Steady is: at least 99 % of requests are good, and stay so for the experiment's `settle` time.
    """

    max: Duration = Field(examples=["30s"])
    """The longest that is allowed."""
    after: str = Field(examples=["crash"])
    """The step whose effect it counts from."""


class LatencyObjective(Strict):
    """The highest latency allowed, counted from when each request was due.

        latency: {p95: 900ms, p99: 2s}

    A percentile needs answers enough to carry it: p50 two, p90 ten, p95 twenty, p99 a hundred. Of fewer the
    verdict is unknown.
    """

    model_config = ConfigDict(json_schema_extra=at_least_one("p50", "p90", "p95", "p99", "max"))

    p50: Duration | None = Field(default=None, examples=["200ms"])
    """Half of the requests are at most so late."""
    p90: Duration | None = Field(default=None, examples=["500ms"])
    """90 % of the requests are at most so late."""
    p95: Duration | None = Field(default=None, examples=["900ms"])
    """95 % of the requests are at most so late."""
    p99: Duration | None = Field(default=None, examples=["2s"])
    """99 % of the requests are at most so late."""
    max: Duration | None = Field(default=None, examples=["5s"])
    """No request is later."""

    @model_validator(mode="after")
    def _something(self) -> LatencyObjective:
        if not self.limits():
            raise ValueError("limits nothing; write a percentile: p95: 900ms")
        return self

    def limits(self) -> dict[str, Duration]:
        """The percentiles that are limited."""
        return {name: limit for name in ("p50", "p90", "p95", "p99", "max") if (limit := getattr(self, name))}


class ErrorsObjective(Strict):
    """The largest share of arrivals that may be bad.

        errors: {max: 1%}

    Bad is what was answered with an error, not answered by its deadline, or never sent.
    """

    max: Ratio = Field(examples=["1%"])
    """The largest share that is allowed."""


class ThroughputObjective(Strict):
    """The lowest rate of good answers over the measured part.

        throughput: {min: 9000/min}

    Good is what was answered well by its deadline.
    """

    min: Rate = Field(examples=["9000/min"])
    """The lowest rate that is allowed."""


class ReplicationLagObjective(Strict):
    """The longest that any standby of the database may be behind its primary, all through the run.

        replication_lag: {max: 1s, unmeasured: 15s}

    Lag is how old what a standby shows is. It is read from PostgreSQL's own views, ten times a second, of
    every server of the role: between bounds, and on one clock, ours. While some server gives no figure (it is
    down, or nobody leads) there is none, and it is not taken for 0: what went on for longer than `unmeasured`
    in all keeps the run from passing.
    """

    max: Duration = Field(examples=["1s"])
    """The longest that is allowed."""
    unmeasured: Duration = Duration(1.0)
    """For how long, in all, some server may give no figure: longer where a fault takes one away."""
    on: str = Field(default="replication", examples=["replication"])
    """The role with the servers of the cluster, of the driver `replication`."""


class Objectives(Strict):
    """What is promised. Of nothing promised the verdict is unknown."""

    downtime: Annotated[tuple[DowntimeObjective, ...], one_or_many(DowntimeObjective)] = ()
    """The longest downtime allowed; a list where several steps are judged apart."""
    recovery: Annotated[tuple[RecoveryObjective, ...], one_or_many(RecoveryObjective)] = ()
    """The longest time until the service is steady again; a list where several steps are judged apart."""
    latency: LatencyObjective | None = None
    """The highest latency allowed."""
    errors: ErrorsObjective | None = None
    """The largest share of arrivals that may be bad."""
    throughput: ThroughputObjective | None = None
    """The lowest rate of good answers."""
    replication_lag: ReplicationLagObjective | None = None
    """The longest that a standby of the database may be behind."""
    openslo: str | None = Field(default=None, examples=["slo.yaml"])
    """A file with an OpenSLO SLO (v1), whose promise is judged too.

    A ratio of good requests is `errors`, and a threshold a percentile of `latency` once the SLO's metadata
    says that it is one: `annotations: {seatrial/latency-in: ms}` (or s). Its queries are not sent, for a run
    has every request of its own clients. What a run cannot judge is refused. The error budget that a run
    spends is held against the target and window of a ratio; else against 99.9 % of 30 days.
    """


class Check(Strict):
    """A judge of the recorded history, and its parameters: `name`, or `name: {parameter: value}`."""

    check: str = Field(examples=["served-by"])
    """Its name."""
    with_: Parameters = Field(alias="with")
    """Its parameters."""

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
    """A condition that, held for a while, ends the run and undoes everything.

        guards:
          - {errors: 90%, for: 30s}

    A run that a guard has ended was cut short: what the story says of its end is unknown. Only what is proven
    against the service holds; what the load generator could not send ends nothing.
    """

    model_config = ConfigDict(json_schema_extra=at_least_one("errors", "p95", "probe"))

    errors: Ratio | None = Field(default=None, examples=["90%"])
    """The share of bad requests, over the last second, from which on it holds."""
    p95: Duration | None = Field(default=None, examples=["5s"])
    """The p95 latency, over the last second, from which on it holds."""
    probe: ProbeSpec | None = Field(default=None, examples=[{"http": "/healthz"}])
    """A question; it holds while the answer is not good."""
    for_: Duration = Field(default=Duration(5.0), alias="for")
    """How long it must hold."""

    @model_validator(mode="after")
    def _something(self) -> Guard:
        if self.errors is None and self.p95 is None and self.probe is None:
            raise ValueError("a guard needs a condition: errors, p95 or probe")
        return self


class Incident(Strict):
    """How loud a failure is."""

    severity: Severity = "error"
    """With which severity people are told of a failure."""


class TestbedNeeds(Strict):
    """What the testbed must have for an experiment, where it runs on that one.

        testbed: {tenants: 100}

    Any other target has the tenants that it has.
    """

    __test__ = False  # pytest takes every Test… for tests

    tenants: Annotated[int, Field(ge=4, le=500), counted_in("number of tenants")] = 4
    """How many tenants the shop has: the testbed is brought up with so many."""


class Experiment(Strict):
    """One file in `chaos/`. Only `experiment`, `load` and `duration` are required.

    An empty timeline is a plain load test, and with no objective and no check the verdict is unknown, for
    nothing was promised.
    """

    experiment: Name = Field(examples=["blue-green-rollback"])
    """Its name, under which runs are recorded and incidents told."""
    title: str = Field(default="", examples=["Rolling back from green to blue at peak traffic"])
    """What the report is headed with."""
    hypothesis: str = Field(default="", examples=["Sending the traffic back loses no request."])
    """What is expected to hold."""
    covers: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(default=(), examples=[["ADR-003"]])
    """Rows of the readiness matrix that a run is evidence for."""
    testbed: TestbedNeeds = TestbedNeeds()
    """What the testbed must have for it, where it runs on that one."""
    load: Load = Field(examples=[{"scenario": "loadtests/storefront.py", "rate": "10000/min"}])
    """Which scenario is driven, how hard."""
    warmup: Duration = Duration(5.0)
    """How long load is offered before the measured part; what happens then is not judged."""
    duration: Lasting = Field(examples=["40s"])
    """The length of the measured part."""
    settle: Duration = Duration(1.0)
    """How long requests must be good again for an outage to be over."""
    steady_state: Annotated[tuple[ProbeSpec, ...], BeforeValidator(as_tuple)] = ()
    """Questions that the target must answer well for a run to start, and again after it."""
    timeline: Annotated[tuple[Step, ...], BeforeValidator(as_tuple)] = ()
    """The faults and actions, each at its instant."""
    objectives: Objectives = Objectives()
    """What is promised: the numbers that the run is judged on."""
    checks: Annotated[tuple[Check, ...], BeforeValidator(as_tuple)] = ()
    """Judges of the recorded history, each by its name; `seatrial explain check` lists them."""
    guards: Annotated[tuple[Guard, ...], BeforeValidator(as_tuple)] = ()
    """Conditions that end the run early and undo everything."""
    incident: Incident | None = None
    """How loud a failure is."""

    @model_validator(mode="after")
    def _warms_up_for_requests(self) -> Experiment:
        if self.load.counts == "requests" and not self.warmup.seconds:
            raise about("warmup", "must be longer than 0s: the rate counts requests, and learns from it")
        return self
