"""The readiness file: what must be true before a service may go live, and what counts as evidence for it.

The text below each key is what `seatrial explain` and editors say of it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from seatrial.model.experiment import Name
from seatrial.model.quantities import Duration, Lasting, Quantity, Rate, Ratio
from seatrial.model.strict import Strict, about, as_tuple, exactly_one

Risk = Literal["low", "medium", "high"]
Format = Literal["junit", "sarif", "json"]

_ROW = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")


def _an_id(value: object) -> object:
    if not isinstance(value, str) or not _ROW.fullmatch(value) or len(value) > 80:
        raise PydanticCustomError(
            "name", "an id is made of letters, digits and - _ . between them, 80 at most"
        )
    return value


RowId = Annotated[
    str,
    BeforeValidator(_an_id),
    WithJsonSchema({"type": "string", "title": "id", "pattern": rf"^{_ROW.pattern}$", "maxLength": 80}),
]


@dataclass(frozen=True, slots=True)
class Limit(Quantity):
    """A highest or lowest allowed value, of whatever was measured: `5s`, `1%`, `6000/min`, `100`.

    `unit`: "s", "ratio", "per_s", or "" for a plain count.
    """

    value: float
    unit: str
    written: str
    expects: ClassVar[str] = "a limit; write it like 5s, 900ms, 1%, 6000/min or 100"
    called: ClassVar[str] = "limit"
    pattern: ClassVar[str] = rf"({Duration.pattern}|{Ratio.pattern}|{Rate.pattern})"

    @classmethod
    def parse(cls, text: str) -> Self:
        for read in (_duration, _ratio, _rate):
            try:
                value, unit = read(text)
            except ValueError:
                continue
            return cls(value, unit, text.strip())
        raise cls._refuse(text)

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return cls(float(value), "", f"{value:g}")
        if isinstance(value, str):
            return cls.parse(value)
        raise cls._refuse(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            **super(Limit, cls).__get_pydantic_json_schema__(schema, handler),
            "type": ["string", "number"],
        }

    def in_unit(self, unit: str) -> float | None:
        """The value in the unit of a figure; None when it is a limit of something else."""
        if unit == "ms" and self.unit == "s":
            return self.value * 1000
        return self.value if unit == self.unit else None

    def __str__(self) -> str:
        return self.written


def _duration(text: str) -> tuple[float, str]:
    return Duration.parse(text).seconds, "s"


def _ratio(text: str) -> tuple[float, str]:
    return Ratio.parse(text).fraction, "ratio"


def _rate(text: str) -> tuple[float, str]:
    return Rate.parse(text).per_second, "per_s"


class Evidence(Strict):
    """One thing that a row rests on: runs of an experiment, another tool's file, or a person's word.

        {experiment: chaos/blue-green-rollback.yaml, objective: downtime after rollback, max: 5s}

    What is measured is the latest run that was not interrupted. One with another load than the experiment's
    (`--rate`) shows nothing of it, nor does one on another target that has the same name. An attestation is
    shown as such, and never as measured.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one("experiment", "policy", "file", "attestation"))

    experiment: str | None = Field(default=None, examples=["chaos/blue-green-rollback.yaml"])
    """The file of an experiment; the path from the working directory, or from the readiness file's own."""
    objective: str = Field(default="", examples=["downtime after rollback"])
    """Which objective of it counts, by the name that reports show; without it, the whole run.

    `capacity at p95 <= 900ms, errors <= 1%` is that of `seatrial capacity` with this promise, and no run's.
    """
    check: str = Field(default="", examples=["audit-chain"])
    """Which check of it counts; without it, the whole run."""
    figure: str = Field(default="", examples=["lag_s"])
    """Which figure of the check `max` and `min` are about; of a policy check `full` or `incremental`."""
    max: Limit | None = None
    """The highest value the row allows, judged on the upper bound; beside what the experiment allows."""
    min: Limit | None = None
    """The lowest value the row allows, judged on the lower bound."""
    target: str = Field(default="", examples=["chaos/targets/shop.yaml"])
    """The file of the target that the run must be of; by default the one that the readiness file names."""
    policy: str | None = Field(default=None, examples=["chaos/policies"])
    """A directory of policies; what counts is the latest `seatrial policy check --evidence` by them: nothing
    is denied, every file was judged, and incremental checks said what the full one said."""
    file: str | None = Field(default=None, examples=["reports/policy.junit.xml"])
    """A result file of another tool, kept by its hash."""
    format: Format | None = None
    """What the file is: `junit`, `sarif`, or `json`."""
    value: str = Field(default="", examples=["/summary/passed"])
    """In a JSON file: where the value is (a JSON Pointer, RFC 6901): `true`, or within `max` and `min`."""
    made: str = Field(default="", examples=["2026-11-02T08:00:00Z"])
    """When the file was made, where it does not say so itself; in a JSON file, a pointer may say where."""
    attestation: str | None = Field(default=None, examples=["The runbook was walked through with the team."])
    """What a person attests to, with `seatrial matrix attest`; it ends on the day that they name."""
    shelf_life: Lasting | None = None
    """How long this evidence counts; by default the row's."""

    @model_validator(mode="after")
    def _one_kind(self) -> Evidence:
        kinds = ("experiment", "policy", "file", "attestation")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("evidence is one of experiment, policy, file and attestation")
        for key, kind in _BELONGS.items():
            if getattr(self, key) and kind != given[0] and not (key == "figure" and given[0] == "policy"):
                raise about(key, f"{key} is of {kind}, not of {given[0]}")
        return self

    @model_validator(mode="after")
    def _a_limit_of_something(self) -> Evidence:
        if self.objective and self.check:
            raise about("check", "an objective or a check: write two pieces of evidence for both")
        if self.figure and not (self.check or self.policy):
            raise about("figure", "a figure is of a check: name it")
        if self.file is not None and self.format is None:
            raise about("file", "say its format: junit, sarif or json")
        if self.value and self.format != "json":
            raise about("value", "a pointer into a file is for format: json")
        if self.policy is not None and self.min:
            raise about("min", "how long a policy check takes has a highest value: max")
        if self.policy is not None and self.max and self.max.in_unit("s") is None:
            raise about("max", "a policy check takes time: write it like 60s")
        if (self.max or self.min) and not (self.objective or self.figure or self.value):
            raise about("max" if self.max else "min", "a limit of what? name the objective, figure or value")
        return self


_BELONGS = {
    "objective": "experiment",
    "check": "experiment",
    "figure": "experiment",
    "target": "experiment",
    "format": "file",
    "value": "file",
    "made": "file",
}


class Row(Strict):
    """One requirement, and what it rests on. All of its evidence must pass."""

    id: RowId = Field(examples=["ADR-003"])
    """Its name, as `covers:` in experiments names it."""
    requirement: str = Field(examples=["Blue-green rollback under peak traffic"])
    """What must be true, in a sentence."""
    risk: Risk = "medium"
    """What it would cost if it were not true; a row of high risk blocks until it passes."""
    owner: str = ""
    """Who answers for it."""
    target: str = Field(default="", examples=["< 5 s"])
    """The figure that was promised, as people say it; limits in the evidence are what is judged."""
    evidence: Annotated[tuple[Evidence, ...], BeforeValidator(as_tuple)] = ()
    """What it rests on. A row without evidence is unknown."""
    shelf_life: Lasting | None = None
    """How long its evidence counts; by default the file's."""


class Readiness(Strict):
    """A readiness file, such as `chaos/readiness.yaml`: the rows of the matrix, and who signs it.

    readiness: production
    rows:
      - {id: ADR-003, requirement: Roll back in seconds, evidence: [{experiment: chaos/rollback.yaml}]}
    """

    readiness: Name = Field(examples=["production"])
    """Its name."""
    title: str = ""
    """What the matrix is headed with."""
    target: str = Field(default="", examples=["chaos/targets/shop.yaml"])
    """The file of the target that runs must be of; without it, those of any target count, and it is named."""
    shelf_life: Lasting = Duration(35 * 86400.0)
    """How long evidence counts: past it, what passed is stale. A month, and some days to run in."""
    sign_off: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[["security", "sre"]]
    )
    """The roles that must sign it, by `seatrial matrix sign`. Where the key is on another machine,
    `seatrial keys sign` signs there, and `seatrial matrix sign --signed` takes the line that it prints."""
    keys: dict[str, str] = Field(default={}, examples=[{"security": "amira+5f0c2a11+AX…"}])
    """The key that each role signs with, as `seatrial keys list` shows it; of a role that is not named here,
    any key counts, and is shown."""
    rows: Annotated[tuple[Row, ...], BeforeValidator(as_tuple)] = Field(
        examples=[[{"id": "ADR-003", "requirement": "Roll back in seconds"}]]
    )
    """What must be true."""

    @model_validator(mode="after")
    def _distinct(self) -> Readiness:
        if not self.rows:
            raise about("rows", "a matrix without rows shows nothing")
        ids = [row.id for row in self.rows]
        twice = next((each for each in ids if ids.count(each) > 1), None)
        if twice:
            raise about("rows", f"the id {twice} stands there twice")
        stranger = next((role for role in self.keys if role not in self.sign_off), None)
        if stranger:
            raise about("keys", f"the role {stranger} is not one of those that sign off")
        return self
