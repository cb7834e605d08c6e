"""What a target costs: prices, and how it tells how much of each was used."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, about, as_tuple, counted_in, exactly_one


def _short(value: object) -> object:
    """`instances: 4` is short for `instances: {count: 4}`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {"count": value} if is_number else value


class UsageSource(Strict):
    """How much of something is used: a number that stays, a query, or a command that prints one.

        instances: 4
        instances: {promql: 'count(up{job="shop"})', on: metrics}
        gb: {command: [./egress.sh]}

    It is asked before a run and after it. What does not tell is unknown, and so is what hangs on it.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("count", "promql", "command"))

    count: Annotated[float | int | None, counted_in("of what is used")] = Field(
        default=None, ge=0, examples=[4]
    )
    """As many, always."""
    promql: str = Field(default="", examples=['count(up{job="shop"})'])
    """An expression that gives one number now."""
    on: str = Field(default="metrics", examples=["metrics"])
    """The role that is asked, a Prometheus server."""
    command: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[["./egress.sh"]]
    )
    """A program and its arguments, run where the target file stands; its first line is the number."""
    within: Duration = Duration(5.0)
    """How long is waited for an answer."""

    @model_validator(mode="after")
    def _one_way(self) -> UsageSource:
        if [self.count is not None, bool(self.promql), bool(self.command)].count(True) != 1:
            raise about("count", "say one of a count, promql and a command")
        return self


Usage = Annotated[UsageSource, BeforeValidator(_short, json_schema_input_type=float | int | UsageSource)]


def _price(example: float) -> Any:
    return Field(default=None, ge=0, allow_inf_nan=False, examples=[example])


class Pricing(Strict):
    """What a target costs, by what it uses.

        cost: {currency: EUR, instance_hour: 0.096, instances: 4, million_requests: 0.40}

    A run then tells what it cost and what a million requests do, from its first request in the warm-up to its
    end, as intervals: of instances between what was told before and after it, of requests between those that
    were answered and those that were sent.
    """

    currency: str = Field(examples=["EUR"], min_length=1, max_length=12)
    """What prices are in."""
    instance_hour: Annotated[float | int | None, counted_in("of the currency")] = _price(0.096)
    """The price of one instance for an hour; it needs `instances`."""
    instances: Annotated[Usage | None, counted_in("instances")] = Field(default=None, examples=[4])
    """How many instances there are."""
    million_requests: Annotated[float | int | None, counted_in("of the currency")] = _price(0.4)
    """The price of a million requests."""
    gb_price: Annotated[float | int | None, counted_in("of the currency")] = _price(0.09)
    """The price of a gigabyte; it needs `gb`."""
    gb: Annotated[Usage | None, counted_in("gigabytes")] = Field(
        default=None, examples=[{"promql": "sum(egress_bytes_total) / 1e9"}]
    )
    """Gigabytes so far, as a counter that only rises, or as many as a count says for a run."""

    @model_validator(mode="after")
    def _whole(self) -> Pricing:
        pairs = (("instance_hour", "instances"), ("gb_price", "gb"))
        for price, usage in pairs:
            if (getattr(self, price) is None) != (getattr(self, usage) is None):
                raise about(price, f"{price} and {usage} belong together")
        if all(getattr(self, each) is None for each in ("instance_hour", "million_requests", "gb_price")):
            raise ValueError("names no price; write one: million_requests: 0.40")
        return self

    def sources(self) -> Iterator[tuple[str, UsageSource]]:
        """What is asked for how much is used."""
        for name in ("instances", "gb"):
            if (source := getattr(self, name)) is not None:
                yield name, source


@dataclass(frozen=True, slots=True)
class CostPart:
    """One price of a run: how much was used, and what that cost. None: unknown, and `why` says why."""

    name: str  # "instance_hours", "requests" or "gb"
    price: float
    used_lower: float | None
    used_upper: float | None
    why: str = ""

    def cost(self) -> tuple[float, float] | None:
        """What it cost, at least and at most."""
        if self.used_lower is None or self.used_upper is None:
            return None
        return self.price * self.used_lower, self.price * self.used_upper


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run cost, and what a million requests cost at that rate; None: unknown, for one part is."""

    currency: str
    lower: float | None
    upper: float | None
    per_million_lower: float | None
    per_million_upper: float | None
    parts: tuple[CostPart, ...] = field(default=())
    why: str = ""

    @classmethod
    def of(cls, currency: str, parts: tuple[CostPart, ...], answered: int, sent: int) -> RunCost:
        """The sum of its parts. A request that was sent and not answered may have been served, or not."""
        costs = [part.cost() for part in parts]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(costs):
            why = "; ".join(dict.fromkeys(part.why for part in parts if part.why))
            return cls(currency, None, None, None, None, parts, why)
        lower, upper = (math.fsum(cost[end] for cost in known) for end in (0, 1))
        low = 1e6 * lower / sent if sent else None
        high = 1e6 * upper / answered if answered else None
        return cls(currency, lower, upper, low, high, parts, "" if answered else "no request was answered")
