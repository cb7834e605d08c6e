"""The `load` of an experiment: which scenario is driven, how hard.

The text below each key is what `seatrial explain` and editors say of it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_serializer, field_validator

from seatrial.model.clients import Connections, Http, Select
from seatrial.model.data import FileOfData
from seatrial.model.offeredrate import Counted, OfferedRate
from seatrial.model.quantities import Duration, Lasting, Ratio
from seatrial.model.shape import starts_in_order
from seatrial.model.strict import Strict, as_tuple, counted_in, one_or_many


def _as_shape(value: object) -> object:
    """`10000/min` is short for a shape of one step."""
    return as_tuple(value) if isinstance(value, list) else ({"at": "0s", "rate": value},)


def _as_version(value: object) -> object:
    """`2` and `1.1` are numbers in YAML."""
    return str(value) if isinstance(value, int | float) else value


Words = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


class RatePoint(Strict):
    """One step of a rate's shape."""

    at: Duration = Field(examples=["20s"])
    """When it begins, counted from the start of the measured part; the first at 0s."""
    rate: OfferedRate = Field(examples=["10000/min"])
    """Arrivals per unit of time from then on; `{requests: 10000/min}` counts requests instead."""


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
    """Which scenario is driven, how hard.

    The load is open-model: each arrival is due at an instant that was computed beforehand and is sent then,
    answered or not.
    """

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
        tuple[RatePoint, ...],
        BeforeValidator(_as_shape, json_schema_input_type=OfferedRate | list[RatePoint]),
    ] = Field(
        examples=[
            "10000/min",
            {"requests": "10000/min"},
            [{"at": "0s", "rate": "1000/min"}, {"at": "20s", "rate": "10000/min"}],
        ]
    )
    """How many arrivals are offered: one rate, or a shape of steps that begins at 0s.

    `{requests: 10000/min}` counts requests: the warm-up finds out how many of them an arrival makes, and the
    rate of arrivals is what makes so many. Where that cannot be found out, nothing passes.
    """
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
    def _a_shape(cls, shape: tuple[RatePoint, ...]) -> tuple[RatePoint, ...]:
        if not starts_in_order([point.at.seconds for point in shape]):
            raise ValueError("a shape starts at 0s and its steps follow one another in time")
        if all(point.rate.rate.count == 0 for point in shape):
            raise ValueError("a load of nothing measures nothing")
        if len({point.rate.counts for point in shape}) > 1:
            raise ValueError("counts arrivals in one step and requests in another; count one of them in all")
        if shape[0].rate.counts == "requests" and not shape[0].rate.rate.count:
            raise ValueError("a shape that counts requests begins with some, for the warm-up to learn from")
        return shape

    @property
    def counts(self) -> Counted:
        """What its rate counts."""
        return self.rate[0].rate.counts
