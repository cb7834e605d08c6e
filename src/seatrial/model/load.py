"""The `load` of an experiment: which scenario is driven, how hard.

The text below each key is what `seatrial explain` and editors say of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_serializer, field_validator, model_validator

from seatrial.model.clients import Connections, Http, Select
from seatrial.model.data import FileOfData
from seatrial.model.offeredrate import Counted, OfferedRate
from seatrial.model.quantities import Duration, Lasting, Rate, Ratio
from seatrial.model.replay import LogOfArrivals
from seatrial.model.shape import RateStep, starts_in_order
from seatrial.model.strict import Strict, about, as_tuple, counted_in, exactly_one, one_or_many


def _as_shape(value: object) -> object:
    """`10000/min` is short for a shape of one step, `{from: …, to: …, over: …}` for one of one ramp."""
    if isinstance(value, dict) and value.keys() & {"to", "over"}:
        return (value,)
    return as_tuple(value) if isinstance(value, list) else ({"at": "0s", "rate": value},)


def _as_version(value: object) -> object:
    """`2` and `1.1` are numbers in YAML."""
    return str(value) if isinstance(value, int | float) else value


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


class RateSegment(Strict):
    """One segment of a rate's shape: a step, a spike, a ramp, or a staircase.

    {at: 20s, rate: 10000/min}                             from then on
    {at: 20s, rate: 10000/min, for: 5s}                    a spike, and back to what was before
    {at: 20s, from: 1000/min, to: 10000/min, over: 30s}    a ramp, and `to` from then on
    {at: 20s, to: 10000/min, over: 30s, steps: 6}          the same in six steps
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("rate", "to"))

    at: Duration | None = Field(default=None, examples=["20s"])
    """When it begins, counted from the start of the measured part; the first at 0s.

    Left out, when the spike or the ramp before it is over.
    """
    rate: OfferedRate | None = Field(default=None, examples=["10000/min"])
    """Arrivals per unit of time from then on; `{requests: 10000/min}` counts requests instead."""
    for_: Lasting | None = Field(default=None, alias="for", examples=["5s"])
    """How long a spike lasts; left out, the rate stays."""
    from_: OfferedRate | None = Field(default=None, alias="from", examples=["1000/min"])
    """Where a ramp begins; left out, at the rate that was before it."""
    to: OfferedRate | None = Field(default=None, examples=["10000/min"])
    """Where a ramp ends, and what is offered from then on."""
    over: Lasting | None = Field(default=None, examples=["30s"])
    """How long a ramp takes."""
    steps: Annotated[Annotated[int, Field(ge=2)] | None, counted_in("steps")] = Field(
        default=None, examples=[6]
    )
    """In how many steps of equal length a ramp climbs, the first at `from`, the last at `to`; left out,
    evenly."""

    @model_validator(mode="after")
    def _one_thing(self) -> RateSegment:
        if (self.rate is None) == (self.to is None):
            raise ValueError("a segment has a rate, or it is a ramp: from, to and over")
        if self.rate is not None:
            for key, value in (("from", self.from_), ("over", self.over), ("steps", self.steps)):
                if value is not None:
                    raise about(key, f"'{key}' belongs to a ramp, which has 'to' in place of 'rate'")
        elif self.over is None:
            raise about("over", "is required and missing: how long the ramp takes")
        elif self.for_ is not None:
            raise about("for", "a ramp lasts for its 'over'; 'for' belongs to a spike")
        return self

    @property
    def lasts_s(self) -> float:
        """How long it lasts in seconds; infinite for a step, which lasts until the next segment."""
        length = self.for_ or self.over
        return length.seconds if length else math.inf

    @property
    def rates(self) -> tuple[OfferedRate, ...]:
        """Those that are written in it."""
        return tuple(rate for rate in (self.rate, self.from_, self.to) if rate is not None)

    def offered(self, at_s: float, before: Rate | None) -> Iterator[RateStep]:
        """What is offered from `at_s` on, where `before` was offered until then."""
        if self.rate is not None:
            yield RateStep(at_s, self.rate.rate)
            if self.for_ is not None:
                yield RateStep(at_s + self.lasts_s, before or self.rate.rate)
            return
        assert self.to is not None  # a ramp has one
        first = self.from_.rate if self.from_ else before or self.to.rate
        ramp = RateStep(at_s, first, self.to.rate)
        count = self.steps or 0
        for number in range(count):
            yield RateStep(at_s + self.lasts_s * number / count, ramp.at(number / (count - 1)))
        if not count:
            yield ramp
        yield RateStep(at_s + self.lasts_s, self.to.rate)


def placed(segments: Sequence[RateSegment]) -> Iterator[tuple[float, float]]:
    """When each segment begins and ends, in seconds. Raises a PydanticCustomError that names its number."""
    end_s = 0.0
    for number, segment in enumerate(segments):
        if segment.at is None and math.isinf(end_s):
            raise about(number, "says not when it begins, and the step before it has no end; give it 'at'")
        at_s = end_s if segment.at is None else segment.at.seconds
        before = segments[number - 1] if number else None
        if before is not None and math.isfinite(before.lasts_s) and at_s < end_s:
            raise about(
                number, f"begins at {Duration(at_s)}, and the segment before it ends at {Duration(end_s)}"
            )
        yield at_s, at_s + segment.lasts_s
        end_s = at_s + segment.lasts_s


class Dns(Strict):
    """How the load's clients use a name that has several addresses, or gets others."""

    select: Select = "first"
    """Which address a new connection goes to. The others are tried after it if nobody answers there."""
    ttl: Duration = Duration(1.0)
    """How long an answer is good for; the name is asked for again at the next new connection after that.

    It is asked for once, and new connections wait for the answer, as those behind one caching resolver do. A
    name that has lost its last address is a bad request; where nobody answers about it, it is not proven
    whose fault that is.
    """


class Load(Strict):
    """Which scenario is driven, how hard: `rate` or `replay` says when arrivals come.

    The load is open-model: each arrival is due at an instant that was computed beforehand and is sent then,
    answered or not.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("rate", "replay"))

    scenario: Annotated[tuple[str, ...], one_or_many(str)] = Field(
        min_length=1, examples=["loadtests/storefront.py", ["shop.py", "admin.py"]]
    )
    """The locustfile, or several; a path from the working directory, or from the experiment's own."""
    users: Words = Field(default=(), examples=[["Visitor"]])
    """The user classes that get arrivals; left out, all of the scenario's."""
    tags: Words = Field(default=(), examples=[["checkout"]])
    """Only tasks with one of these tags (`@tag`) are run."""
    exclude_tags: Words = Field(default=(), examples=[["admin"]])
    """No task with one of these tags is run."""
    data: FileOfData | None = Field(
        default=None, examples=["users.csv", {"file": "users.csv", "order": "unique"}]
    )
    """A CSV file of which each arrival gets a row, `self.row` in the scenario; left out, there are none."""
    rate: Annotated[
        tuple[RateSegment, ...],
        BeforeValidator(_as_shape, json_schema_input_type=OfferedRate | RateSegment | list[RateSegment]),
    ] = Field(
        default=(),
        examples=[
            "10000/min",
            {"requests": "10000/min"},
            [{"at": "0s", "rate": "1000/min"}, {"at": "20s", "rate": "10000/min"}],
            {"from": "1000/min", "to": "10000/min", "over": "30s"},
        ],
    )
    """How many arrivals are offered: one rate, or a shape of steps, spikes and ramps that begins at 0s.

    `{requests: 10000/min}` counts requests: the warm-up finds out how many of them an arrival makes, and the
    rate of arrivals is what makes so many. Where that cannot be found out, nothing passes.
    """
    replay: LogOfArrivals | None = Field(
        default=None, examples=["access.log", {"log": "access.log", "speed": 2, "times": 1.5}]
    )
    """In place of a rate: the arrivals of an access log, each due when it came then."""
    arrivals: Literal["even", "poisson"] = "even"
    """How arrivals are spaced: alike, or at random with the same mean."""
    seed: Annotated[int, Field(ge=0), counted_in("number of a sequence")] = 0
    """Which of the random sequences: the same seed gives the same arrivals."""
    http: Annotated[Http, BeforeValidator(_as_version, json_schema_input_type=Http | Literal[1.1, 2])] = "1.1"
    """Which version of HTTP `self.client` speaks.

    `2` is asked for by ALPN where the address is https, and taken for granted where it is not; many requests
    share a connection, as far as the server allows. A server that does not speak it is told before the load
    begins. Needs the extra `protocols`.
    """
    connections: Connections = "shared"
    """Whose the connections of `self.client` are.

    `shared` is one warm pool: it hides what strangers meet in a failover, handshakes and listeners that are
    gone. `per-user`: each virtual user keeps its own. `new`: each arrival comes without one, and leaves none.
    """
    dns: Dns = Dns()
    """Which of a name's addresses they go to, and how long that is good for."""
    deadline: Lasting = Duration(2.0)
    """A request that is not answered well by then, counted from when it was due, is bad."""
    scenario_errors: Ratio = Ratio(0.0)
    """The share of arrivals whose task may raise before nothing can pass any more."""

    @field_serializer("scenario")
    def _as_written(self, scenario: tuple[str, ...]) -> str | list[str]:
        return scenario[0] if len(scenario) == 1 else list(scenario)

    @field_validator("rate")
    @classmethod
    def _a_shape(cls, shape: tuple[RateSegment, ...]) -> tuple[RateSegment, ...]:
        if len({rate.counts for segment in shape for rate in segment.rates}) > 1:
            raise ValueError("counts arrivals in one step and requests in another; count one of them in all")
        if shape and shape[0].to is not None and shape[0].from_ is None:
            raise about(0, "says not where the ramp begins: from, since nothing was offered before it")
        if shape and shape[0].for_ is not None:
            raise about(0, "a spike goes back to the rate before it, and there is none")
        starts = [at_s for at_s, _ in placed(shape)]
        if not starts_in_order(starts):
            raise ValueError("a shape starts at 0s and its steps follow one another in time")
        steps = _offered(shape)
        if not any(step.peak_per_s for step in steps):
            raise ValueError("a load of nothing measures nothing")
        if shape[0].rates[0].counts == "requests" and not steps[0].rate.count:
            raise ValueError("a shape that counts requests begins with some, for the warm-up to learn from")
        return shape

    @model_validator(mode="after")
    def _one_source_of_arrivals(self) -> Load:
        if self.replay is None and not self.rate:
            raise about("rate", "is required and missing: how much is offered; or a log to replay")
        if self.replay is not None and self.rate:
            raise about("replay", "says when arrivals come, and so does 'rate': write one of them")
        if self.replay is not None and self.arrivals != "even":
            raise about("arrivals", "those of a replay are spaced as they were in its log")
        if self.replay is not None and self.data is not None:
            raise about("data", "the rows of a replay are the requests of its log")
        return self

    @property
    def counts(self) -> Counted:
        """What its rate counts."""
        return self.rate[0].rates[0].counts if self.rate else "arrivals"

    @property
    def steps(self) -> tuple[RateStep, ...]:
        """What its rate offers over time."""
        return _offered(self.rate)


def _offered(shape: Sequence[RateSegment]) -> tuple[RateStep, ...]:
    """The segments' steps; where one begins in the instant that another ends in, the latter's end is none."""
    steps: list[RateStep] = []
    for (at_s, _), segment in zip(placed(shape), shape, strict=True):
        before = steps[-1].rate if steps else None
        if steps and steps[-1].at_s >= at_s:
            steps.pop()
        steps += segment.offered(at_s, before)
    return tuple(steps)
