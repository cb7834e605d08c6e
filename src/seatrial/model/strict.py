"""The base of every record that a file is read into."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A frozen record in which an unknown key is an error and text is not taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


def as_tuple(value: object) -> object:
    """A list as a tuple, so that frozen records hold no mutable value; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def one_or_many(one: Any) -> BeforeValidator:
    """One thing where a list may stand means a list of one."""

    def listed(value: object) -> object:
        return tuple(value) if isinstance(value, list) else (value,)

    return BeforeValidator(listed, json_schema_input_type=one | list[one])


def about(field: str | int, message: str) -> PydanticCustomError:
    """For a validator of a whole record, or of a list: what is wrong with one `field` of it, or with the
    entry of that number, so that it is told there."""
    return PydanticCustomError("field", "{message}", {"message": message, "field": field})


# What a type does not say of a value, for `seatrial explain` and for editors.

Size = Annotated[
    ByteSize,
    WithJsonSchema(
        {"type": ["string", "integer"], "title": "size", "pattern": r"^\s*\d*\.?\d+\s*\w*", "minimum": 0}
    ),
]


def counted_in(unit: str) -> Any:
    """Of a plain number: what it counts, `connections`."""
    return Field(json_schema_extra={"unit": unit})


def exactly_one(*keys: str) -> dict[str, Any]:
    """Of a record, as JSON Schema says it: one of `keys` has a value, and no other."""
    return {"oneOf": [_given(key) for key in keys]}


def at_least_one(*keys: str) -> dict[str, Any]:
    """Of a record, as JSON Schema says it: one of `keys` has a value."""
    return {"anyOf": [_given(key) for key in keys]}


def _given(key: str) -> dict[str, Any]:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}
