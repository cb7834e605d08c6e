"""What is recorded of tenants and their migration, for the checks that judge it. Form (JSON):

    {"tenants": {tenant: {"schema", "applied": [version, …], "half_way": why or "", "shape", "lacking"}},
     "record":  [{"event": "begun" | "started" | "ended" | "waited" | "looked" | "finished" | "undone",
                  "at": seconds since 1970, …}, …]}            of `seatrial.drivers.migration_record`

`shape` is equal for schemas whose columns, indexes and constraints are alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.checks.protocol import History

NAMED = 5  # tenants that a sentence names

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """What one tenant's schema has come to."""

    applied: tuple[str, ...]
    half_way: str
    shape: str
    lacking: bool

    @property
    def version(self) -> str:
        """For people."""
        return "no schema" if self.lacking else self.applied[-1] if self.applied else "no version"


@dataclass(frozen=True, slots=True)
class Recording:
    """The whole of it."""

    tenants: Mapping[str, Schema]
    record: tuple[Line, ...]

    @classmethod
    def parse(cls, data: bytes) -> Recording:
        """Raises ValueError for what is no such recording."""
        try:
            plain = json.loads(data)
            return cls(schemas_of(plain["tenants"]), tuple(plain["record"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"what was recorded of the tenants cannot be read: {error!r}") from error

    def of_the_run(self, history: History) -> tuple[Line, ...]:
        """Those lines of the record that the run has caused; none when its clock is not known."""
        return tuple(line for line in self.record if line["at"] >= history.zero_wall_s)


def schemas_of(plain: Mapping[str, Any]) -> dict[str, Schema]:
    """By tenant. Raises KeyError or TypeError."""
    return {
        name: Schema(tuple(told["applied"]), told["half_way"], told["shape"], told["lacking"])
        for name, told in plain.items()
    }


def migrates(history: History) -> bool:
    """Whether a migration was part of the run; one that failed has no instant of its effect."""
    return any(
        step.does == "tenants.migrate" and (step.before_s is not None or step.error) for step in history.steps
    )


def named(texts: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    told = list(texts)
    more = len(told) - NAMED
    return ", ".join(told[:NAMED]) + (f" and {more} more" if more > 0 else "")
