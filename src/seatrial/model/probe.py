"""A question that a healthy system answers well: by HTTP, SQL, Redis, PromQL, PKCS#11 or what one adds."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, about, counted_in, exactly_one


class ProbeSpec(Strict):
    """A question that a healthy system answers well.

        {http: /healthz}
        {sql: "SELECT count(*) FROM dead_letters", on: database, max: 0}
        {redis: PING, on: cache}
        {promql: "up", on: metrics, min: 1}
        {pkcs11: sign, on: hsm}
        {probe: queue, with: {name: orders}, on: broker, max: 1000}      # a kind of your own

    `http` is a path of the target or an address, and wants a status below 400 or exactly `status`. `pkcs11`
    wants a signature that verifies. The others give a value: true or present is well, and a number must lie
    between `min` and `max` where they are given.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("http", "sql", "redis", "promql", "pkcs11")

    model_config = ConfigDict(json_schema_extra=exactly_one(*KINDS, "probe"))

    http: str | None = Field(default=None, examples=["/healthz"])
    """A path of the target, or an address, that is asked for."""
    sql: str | None = Field(default=None, examples=["SELECT count(*) FROM dead_letters"])
    """A query whose first value is the answer."""
    redis: str | None = Field(default=None, examples=["PING"])
    """A command whose answer counts."""
    promql: str | None = Field(default=None, examples=['up{job="shop"}'])
    """An expression; every sample of it must be good, and there must be one."""
    pkcs11: Literal["sign"] | None = Field(default=None, examples=["sign"])
    """What is asked of an HSM: a signature."""
    probe: str | None = Field(default=None, examples=["queue"])
    """Another kind, by its declared name."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", examples=[{"name": "orders"}])
    """The parameters of that kind, by name."""
    on: str = Field(default="", examples=["database"])
    """The role that is asked; left out, http asks the target itself. Every other kind needs one."""
    status: Annotated[int | None, counted_in("HTTP status")] = Field(default=None, examples=[204])
    """Of http: the one status that is good; left out, every one below 400."""
    min: Annotated[float | int | None, counted_in("as the answer")] = Field(default=None, examples=[1])
    """The least that is good, where the answer is a number."""
    max: Annotated[float | int | None, counted_in("as the answer")] = Field(default=None, examples=[0])
    """The most that is good, where the answer is a number."""
    within: Duration = Duration(2.0)
    """The answer must come within that time."""

    @model_validator(mode="after")
    def _one_question(self) -> ProbeSpec:
        asked = [kind for kind in (*self.KINDS, "probe") if getattr(self, kind) is not None]
        if len(asked) != 1:
            raise ValueError(f"a probe asks one of {', '.join(self.KINDS)}, or names another kind: probe: …")
        if asked[0] != "http" and not self.on:
            raise about("on", f"a probe by {self.kind} needs the role that it asks")
        if self.probe in self.KINDS:
            raise about("probe", f"is written {self.probe}: …")
        if self.with_ and not self.probe:
            raise about("with", f"a probe by {self.kind} has no parameters of its own")
        if self.within.seconds <= 0:
            raise about("within", "must be longer than 0s")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise about("min", f"no value is at least {self.min:g} and at most {self.max:g}")
        return self

    @property
    def kind(self) -> str:
        """One of KINDS, or the name of another."""
        return self.probe or next(kind for kind in self.KINDS if getattr(self, kind) is not None)

    @property
    def question(self) -> str:
        """What is asked."""
        words = ", ".join(f"{name}: {value}" for name, value in self.with_.items())
        return words if self.probe else str(getattr(self, self.kind))

    def __str__(self) -> str:
        return f"{self.kind} {self.question}".rstrip() + (f" on {self.on}" if self.on else "")

    def judge(self, value: object) -> str:
        """What is wrong with a value; empty when nothing is."""
        if isinstance(value, float) and math.isnan(value):
            return f"{self} gave NaN, which says nothing"
        if self.min is None and self.max is None:
            return "" if value else f"{self} gave {value!r:.200}"
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if math.isnan(number):
            return f"{self} gave {value!r:.200}, which is no number"
        if self.min is not None and number < self.min:
            return f"{self} gave {number:g}, at least {self.min:g} is wanted"
        if self.max is not None and number > self.max:
            return f"{self} gave {number:g}, at most {self.max:g} is wanted"
        return ""
