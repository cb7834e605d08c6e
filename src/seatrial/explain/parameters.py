"""What may be written into a record: its keys with their types, as people and as editors are told them.

Both come from JSON Schema, for it says what a file has (`5s`), not what that becomes (`Duration(5.0)`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ByteSize
from pydantic.json_schema import GenerateJsonSchema

from seatrial.explain.docstrings import descriptions
from seatrial.explain.entry import Parameter

Schema = dict[str, Any]

_PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}


class FileSchema(GenerateJsonSchema):
    """JSON Schema of what is written in a file: titles only where a type has a name of its own."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # no key's name is a title
        return False

    def sort(self, value: Any, parent_key: str | None = None) -> Any:  # noqa: ARG002  # the order of the fields
        return value

    def encode_default(self, dft: Any) -> Any:
        """A default as a file has it."""
        match dft:
            case ByteSize():
                return dft.human_readable(separator="")
            case BaseModel():
                return {}  # of records all defaults stand with their own keys
            case None | bool() | int() | float() | str() | dict():
                return dft
            case tuple() | list() | frozenset():
                return [self.encode_default(each) for each in dft]
            case ZoneInfo():
                return dft.key
            case _:  # a duration, a rate, and whatever else is written as text
                return str(dft)


def schema_of(record: type[BaseModel]) -> Schema:
    """The JSON Schema of a record, with the text below each key as its description."""
    schema = record.model_json_schema(by_alias=True, schema_generator=FileSchema)
    _describe(schema, record)
    for described in nested(record):
        _describe(schema["$defs"][described.__name__], described)
    return schema


def _describe(schema: Schema, record: type[BaseModel]) -> None:
    for field, text in descriptions(record).items():
        key = record.model_fields[field].alias or field
        if text:
            schema["properties"][key]["description"] = text


def nested(record: type[BaseModel]) -> list[type[BaseModel]]:
    """Every other record that may stand somewhere in it."""
    found: dict[type[BaseModel], None] = {}
    waiting = [record]
    while waiting:
        for field in waiting.pop().model_fields.values():
            for each in records_in(field.annotation):
                if each is not record and each not in found:
                    found[each] = None
                    waiting.append(each)
    return list(found)


def records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The records that an annotation names, `tuple[Step, ...]`, `dict[str, Call] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from records_in(argument)


def parameters_of(
    record: type[BaseModel], schema: Schema | None = None, called: Mapping[str, str] | None = None
) -> tuple[Parameter, ...]:
    """The keys of a record, in the order of its fields.

    `schema`: its JSON Schema, where it is known already; `called`: what people call a record that may stand
    in it, by the record's name.
    """
    schema = schema or schema_of(record)
    return tuple(
        Parameter(
            name=key,
            type=_type_of(written, called or {}),
            unit=_unit_of(written),
            required=key in schema.get("required", ()),
            default=as_written(written.get("default")),
            example=as_written(next(iter(written.get("examples", ())), None)),
            text=written.get("description", ""),
        )
        for key, written in schema.get("properties", {}).items()
    )


def as_written(value: Any) -> str:
    """A value as a file has it, in one line; "" for nothing."""
    if value in (None, "", [], {}, ()):
        return ""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _type_of(written: Schema, called: Mapping[str, str]) -> str:
    """The type of one value, for people."""
    if named := _named(written, called):
        return named
    match written:
        case {"anyOf": list(kinds)}:
            kinds = [each for each in kinds if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(_type_of(each, called) for each in kinds))
        case {"type": "array"}:
            return _list_of(written, called)
        case {"type": "object"}:
            values = written.get("additionalProperties")
            return (
                f"mapping of names to {_type_of(values, called)}" if isinstance(values, dict) else "mapping"
            )
        case _:
            return ", ".join((_PLAIN.get(written.get("type", ""), "any value"), *_limits(written)))


def _named(written: Schema, called: Mapping[str, str]) -> str:
    """The type of a value that has a name or is one of a few; "" of any other."""
    if "$ref" in written:
        return called.get(written["$ref"].rpartition("/")[2], "mapping")
    if "enum" in written:
        return f"one of {', '.join(as_written(each) for each in written['enum'])}"
    return str(written.get("title", "")) or as_written(written.get("const"))


def _limits(written: Schema) -> Iterator[str]:
    return (form.format(written[key]) for key, form in _LIMITS.items() if key in written)


def _list_of(written: Schema, called: Mapping[str, str]) -> str:
    if "prefixItems" in written:
        return f"list of {len(written['prefixItems'])}"
    return f"list of {_type_of(written['items'], called)}" if written.get("items") else "list"


def _unit_of(written: Schema) -> str:
    return str(written.get("unit", ""))
