"""The base of every record that a file is read into."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Strict(BaseModel):
    """A frozen record in which an unknown key is an error and text is not taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


def as_tuple(value: object) -> object:
    """A list as a tuple, so that frozen records hold no mutable value; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def about(field: str, message: str) -> PydanticCustomError:
    """For a validator of a whole record: what is wrong with one `field` of it, so that it is told there."""
    return PydanticCustomError("field", "{message}", {"message": message, "field": field})
