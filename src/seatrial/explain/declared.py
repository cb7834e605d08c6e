"""Entries of what is declared in a file of its own, ours or somebody else's: faults, checks, drivers …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from seatrial import catalogue
from seatrial.discovery import OURS, Found
from seatrial.drivers.binding import Binding
from seatrial.explain.docstrings import text_of
from seatrial.explain.entry import Entry, Facts, Parameter, Part
from seatrial.explain.parameters import nested, parameters_of, records_in, schema_of
from seatrial.incidents.sink import Sink
from seatrial.model.probe import ProbeSpec
from seatrial.undo.protocol import ANY, Declared

_OF_ALL_PROBES = ("on", "status", "min", "max", "within")


def entries() -> Iterator[Entry]:
    """All of them, kind by kind."""
    for kind, registry in catalogue.KINDS.items():
        for found in registry.all().values():
            yield _entry(kind, found)


def _entry(kind: str, found: Found[Any]) -> Entry:
    return Entry(
        kind,
        found.name,
        text_of(found.declared, found.name),
        facts=tuple(_facts(found)),
        parameters=tuple(_parameters(kind, found)),
        parts=_parts(found.record) if found.record else (),
    )


def _parameters(kind: str, found: Found[Any]) -> Iterator[Parameter]:
    """Its own first, and then those of everything of its kind."""
    own = parameters_of(found.record) if found.record else ()
    if issubclass(found.declared, Sink):
        settings = found.declared.settings
        for field, parameter in zip(settings.model_fields, own, strict=True):
            yield replace(parameter, name=settings.variable(field))
        return
    if kind == "probe":
        own += tuple(each for each in parameters_of(ProbeSpec) if each.name in (found.name, *_OF_ALL_PROBES))
    yield from sorted(own, key=lambda each: each.name in Binding.model_fields)


def _facts(found: Found[Any]) -> Facts:
    """What is known of it beside its parameters."""
    declared = found.declared
    if issubclass(declared, Declared):
        yield "acts on", _acts_on(declared)
    if issubclass(declared, Binding):
        users = ", ".join(_acting_on(found.name))
        yield from ((("acted on by", users),) if users else ())
        yield from ((("needs", declared.extra.way_out),) if declared.extra else ())
    if issubclass(declared, Sink):
        yield "hears", ", ".join(sorted(declared.hears))
    if found.package != OURS:
        yield "comes from", found.package


def _acts_on(declared: type[Declared]) -> str:
    if declared.drivers == ANY and (ability := declared.ability):
        return ", ".join(filter(None, [*ability.drivers(), ability.otherwise]))
    return "whatever the role is bound to" if declared.drivers == ANY else ", ".join(sorted(declared.drivers))


def _acting_on(driver: str) -> list[str]:
    """The faults and actions that are made for roles of a driver, or for what it is able to do."""
    return [
        name
        for kind in ("fault", "action")
        for name, found in catalogue.KINDS[kind].all().items()
        for drivers, ability in ((found.declared.drivers, found.declared.ability),)
        if driver in (ability.drivers() if drivers == ANY and ability else drivers)
    ]


def _parts(record: type[BaseModel]) -> tuple[Part, ...]:
    """The mappings that may stand in its parameters."""
    schema = schema_of(record)
    return tuple(
        Part(_holding(inner, record), text_of(inner), parameters_of(inner, schema["$defs"][inner.__name__]))
        for inner in nested(record)
    )


def _holding(inner: type[BaseModel], record: type[BaseModel]) -> tuple[str, ...]:
    """The parameters of a record that another may stand in."""
    fields = record.model_fields.items()
    return tuple(field.alias or name for name, field in fields if inner in records_in(field.annotation))
