"""Durations, rates and ratios as people write them: `250ms`, `1m30s`, `10000/min`, `1%`.

A bare number is refused: `5` might be seconds or milliseconds, and a drill is the wrong time to find out.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"\d+(?:_\d{3})*(?:\.\d+)?"
_DURATION_PART = re.compile(rf"({_NUMBER})(us|ms|s|min|m|h|d)", re.ASCII)
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|sec|second|m|min|minute|h|hour)", re.ASCII)
_RATIO = re.compile(rf"({_NUMBER})\s*(%?)", re.ASCII)
_PER = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
}
_LONGEST_TEXT = 64
_LONGEST_DAYS = (
    3_650  # what is longer or faster is a slip of the pen, and would not fit a clock or a schedule
)
_MOST_PER_SECOND = 10_000_000


class Quantity:
    """A value that is written as text with its unit. Subclasses give `parse` and `__str__`.

    `called`: what people call such a value; `pattern`: what `parse` takes, for editors, which know no limits.
    """

    __slots__ = ()
    expects: ClassVar[str]
    called: ClassVar[str]
    pattern: ClassVar[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value that `text` says. Raises ValueError with what was expected."""
        raise NotImplementedError

    @classmethod
    def read(cls, value: object) -> Self:
        """The value that stands in a file, text or whatever else. Raises ValueError as `parse` does."""
        if isinstance(value, str):
            return cls.parse(value)
        raise cls._refuse(value)

    @classmethod
    def _refuse(cls, value: object) -> ValueError:
        if value is None:
            return ValueError(f"is empty, and not {cls.expects}")
        shown = str(value)
        shown = shown if len(shown) <= _LONGEST_TEXT else shown[:_LONGEST_TEXT] + "…"
        return ValueError(f"'{shown}' is not {cls.expects}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object) -> Quantity:
            if isinstance(value, cls):
                return value
            try:
                return cls.read(value)
            except ValueError as error:
                raise PydanticCustomError("quantity", "{reason}", {"reason": str(error)}) from error

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "title": cls.called, "pattern": rf"^\s*{cls.pattern}\s*$"}


def _shortest(value: float) -> str:
    return f"{value:.9g}"


@dataclass(frozen=True, slots=True, order=True)
class Duration(Quantity):
    """A length of time.

    >>> Duration.parse("1m30s").seconds
    90.0
    """

    seconds: float
    expects: ClassVar[str] = "a duration; write it like 250ms, 5s, 1m30s or 2h"
    called: ClassVar[str] = "duration"
    pattern: ClassVar[str] = rf"({_DURATION_PART.pattern})+"

    @classmethod
    def parse(cls, text: str) -> Self:
        text = text.strip()
        if len(text) > _LONGEST_TEXT:
            raise cls._refuse(text)
        position, total = 0, 0.0
        while position < len(text):
            part = _DURATION_PART.match(text, position)
            if part is None:
                raise cls._refuse(text)
            total += float(part[1].replace("_", "")) * _SECONDS[part[2]]
            position = part.end()
        if position == 0 or not math.isfinite(total):
            raise cls._refuse(text)
        if total > _LONGEST_DAYS * _SECONDS["d"]:
            raise ValueError(f"'{text}' is longer than {_LONGEST_DAYS:,} days")
        return cls(total)

    def __str__(self) -> str:
        if self.seconds and self.seconds < 1:
            return f"{_shortest(self.seconds * 1000)}ms"
        return f"{_shortest(self.seconds)}s"


def _some_time(length: Duration) -> Duration:
    if length.seconds <= 0:
        raise ValueError("must be longer than 0s")
    return length


Lasting = Annotated[Duration, AfterValidator(_some_time)]


@dataclass(frozen=True, slots=True)
class Rate(Quantity):
    """Arrivals per unit of time, kept as written so that 10000/min stays exact.

    >>> Rate.parse("10000/min").interval_s
    0.006
    """

    count: float  # arrivals …
    per_s: float  # … in this many seconds
    expects: ClassVar[str] = "a rate; write it like 10000/min or 500/s"
    called: ClassVar[str] = "rate"
    pattern: ClassVar[str] = _RATE.pattern

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _RATE.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
        if match is None:
            raise cls._refuse(text)
        count = float(match[1].replace("_", ""))
        if not math.isfinite(count):
            raise cls._refuse(text)
        rate = cls(count, _PER[match[2]])
        if rate.per_second > _MOST_PER_SECOND:
            raise ValueError(f"'{text}' is more than {_MOST_PER_SECOND:,} a second")
        return rate

    @property
    def per_second(self) -> float:
        """Arrivals per second."""
        return self.count / self.per_s

    @property
    def interval_s(self) -> float:
        """Seconds between two arrivals of an even schedule; infinite for a rate of zero."""
        return self.per_s / self.count if self.count else math.inf

    def times(self, factor: float) -> Rate:
        """This rate, `factor` times as high."""
        return Rate(self.count * factor, self.per_s)

    def __str__(self) -> str:
        return f"{_shortest(self.count)}/{ {1.0: 's', 60.0: 'min', 3600.0: 'h'}[self.per_s] }"


@dataclass(frozen=True, slots=True, order=True)
class Ratio(Quantity):
    """A share between 0 and 1.

    >>> Ratio.parse("1%").fraction
    0.01
    """

    fraction: float
    expects: ClassVar[str] = "a share from 0% to 100%; write it like 1% or 0.5%"
    called: ClassVar[str] = "share"
    pattern: ClassVar[str] = rf"{_NUMBER}\s*%"

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _RATIO.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
        if match is None or not match[2]:
            raise cls._refuse(text)
        fraction = float(match[1].replace("_", "")) / 100
        if not 0 <= fraction <= 1:
            raise cls._refuse(text)
        return cls(fraction)

    def __str__(self) -> str:
        return f"{_shortest(self.fraction * 100)}%"
