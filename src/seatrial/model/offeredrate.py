"""How much load is offered, and what of it is counted: arrivals, or the requests that they make.

    rate: 10000/min                   10,000 arrivals a minute, whatever each of them does
    rate: {requests: 10000/min}       as many arrivals as make 10,000 requests a minute

How many requests an arrival makes is known to the scenario alone, so the second kind is found out in the
warm-up (`seatrial.load.correction`). On a command line, where there are no mappings, it is written
`requests:10000/min`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from seatrial.model.problems import nearest
from seatrial.model.quantities import Quantity, Rate

Counted = Literal["arrivals", "requests"]
REQUESTS = "requests:"


@dataclass(frozen=True, slots=True)
class OfferedRate(Quantity):
    """A rate of arrivals, or of requests.

    >>> OfferedRate.parse("requests:10000/min").counts
    'requests'
    """

    rate: Rate
    counts: Counted = "arrivals"
    expects: ClassVar[str] = Rate.expects
    called: ClassVar[str] = Rate.called
    pattern: ClassVar[str] = rf"({REQUESTS})?{Rate.pattern}"

    @classmethod
    def parse(cls, text: str) -> Self:
        counts, rate = split_counted(text)
        return cls(Rate.parse(rate), counts)

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, str):
            return cls.parse(value)
        if not isinstance(value, dict):
            raise cls._refuse(value)
        for key in value:
            if key != "requests":
                raise ValueError(f"unknown key '{key}'{nearest(str(key), ['requests'])}")
        if "requests" not in value:
            raise ValueError("names nothing that is counted; write {requests: 10000/min}")
        return cls(Rate.read(value["requests"]), "requests")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        rate = Rate.__get_pydantic_json_schema__(schema, handler)
        text = {"type": "string", "pattern": rf"^\s*{cls.pattern}\s*$"}
        requests = {
            "type": "object",
            "properties": {"requests": rate},
            "required": ["requests"],
            "additionalProperties": False,
        }
        return {"title": cls.called, "anyOf": [text, requests]}

    def __str__(self) -> str:
        return f"{REQUESTS if self.counts == 'requests' else ''}{self.rate}"


def split_counted(text: str) -> tuple[Counted, str]:
    """What a text counts, and the rest of it, a rate or a shape of rates."""
    rest = text.strip().removeprefix(REQUESTS)
    return ("arrivals" if rest == text.strip() else "requests"), rest
