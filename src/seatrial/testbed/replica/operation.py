"""What can be done to replicated data, and the record of it that goes into logs and to other regions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypeVar

from seatrial.testbed.replica.causality import Dot, Vector
from seatrial.testbed.replica.hlc import Stamp

Typed = TypeVar("Typed", str, int)


class Kind(StrEnum):
    """`value` is the setting's text, the amount to add (may be negative), or the set's member."""

    PUT = "setting.put"
    COUNT = "counter.add"
    ADD = "set.add"
    REMOVE = "set.remove"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a client asks for. `key` names the write: a repetition of it is not carried out again."""

    kind: Kind
    tenant: str
    name: str
    value: str | int
    key: str
    after: Stamp | None = None  # of the read that the client bases this on


@dataclass(frozen=True, slots=True)
class Operation:
    """An intent that a region carried out, and its place in time."""

    dot: Dot
    stamp: Stamp
    physical_us: int  # what the region's physical clock said, wrong or right
    context: Vector  # what the region had seen before
    kind: Kind
    tenant: str
    name: str
    value: str | int
    key: str

    @property
    def item(self) -> tuple[str, str]:
        """What it is done to: tenant and name, within the kind of data."""
        return self.tenant, self.name

    def does(self, intent: Intent) -> bool:
        """Whether this is what `intent` asks for."""
        return (self.kind, self.tenant, self.name, self.value) == (
            intent.kind,
            intent.tenant,
            intent.name,
            intent.value,
        )

    def to_json(self) -> str:
        """One line."""
        plain = {
            "origin": self.dot.origin,
            "number": self.dot.number,
            "stamp": [self.stamp.time_us, self.stamp.count],
            "physical_us": self.physical_us,
            "context": self.context,
            "kind": self.kind,
            "tenant": self.tenant,
            "name": self.name,
            "value": self.value,
            "key": self.key,
        }
        return json.dumps(plain, separators=(",", ":"))

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """From decoded JSON, which may come from elsewhere. Raises ValueError when it is no operation."""
        try:
            kind = Kind(plain["kind"])
            time_us, count = plain["stamp"]
            value = plain["value"]
            return cls(
                dot=Dot(_typed(str, plain["origin"]), _typed(int, plain["number"])),
                stamp=Stamp(_typed(int, time_us), _typed(int, count)),
                physical_us=_typed(int, plain["physical_us"]),
                context={_typed(str, key): _typed(int, number) for key, number in plain["context"].items()},
                kind=kind,
                tenant=_typed(str, plain["tenant"]),
                name=_typed(str, plain["name"]),
                value=_typed(int, value) if kind is Kind.COUNT else _typed(str, value),
                key=_typed(str, plain["key"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an operation: {type(error).__name__}: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls.from_plain(json.loads(text))


def _typed(kind: type[Typed], value: object) -> Typed:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value
