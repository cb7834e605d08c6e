"""JSON Schema (draft 2020-12) of the files that people write, for editors and for whoever checks files.

    experiment ─► timeline ─► fault: process.kill ─► with: … of that fault      checks and probes likewise
    target ─► roles ─► driver: postgres ─► … of that driver's binding

The records say most of it. What may stand behind a name is known by the registries, those of other people's
packages included. A file that seatrial takes is never refused; one that it refuses may pass here, for a
schema knows nothing of a target's roles, of files that are named, or of what two keys say together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from seatrial import catalogue
from seatrial.explain.docstrings import text_of
from seatrial.explain.formats import FILES
from seatrial.explain.parameters import Schema, schema_of
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput, nearest

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFS = "#/$defs/"
_REFERENCE = {"pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}  # to an environment variable
_NARROWING = {"pattern", "minLength", "enum", "const"}
_PLAIN = {"integer", "number", "boolean"}
_OF_MANY = ("properties", "$defs")  # keys of a schema whose values are schemas by name
_OF_ONE = ("items", "additionalProperties", "not", "if", "then")
_OF_A_LIST = ("anyOf", "oneOf", "allOf", "prefixItems")


def schema(format_: str) -> Schema:
    """The schema of a kind of file: `experiment`, `target`, `suite` or `schedule`. Raises BadInput."""
    record = FILES.get(format_)
    if record is None:
        raise BadInput(f"there is no kind of file called '{format_}'{nearest(format_, FILES)}")
    found = schema_of(record)
    if complete := _COMPLETED.get(format_):
        complete(found["$defs"])
    return {"$schema": _DIALECT, **found, "title": f"seatrial {format_}"}


# what stands behind the names in an experiment


def _complete_experiment(defs: Schema) -> None:
    _complete_steps(defs)
    _complete_checks(defs)
    _complete_probes(defs)


def _complete_steps(defs: Schema) -> None:
    step = defs["Step"]
    step["allOf"] = []
    for kind in ("fault", "action"):
        step["properties"][kind] = {**step["properties"][kind], "anyOf": [*_names(kind), {"type": "null"}]}
        step["allOf"] += _by_name(defs, kind, kind, "with")


def _complete_probes(defs: Schema) -> None:
    spec = defs["ProbeSpec"]
    others = [name for name in catalogue.names("probe") if name not in ProbeSpec.KINDS]
    spec["properties"]["probe"] = {
        **spec["properties"]["probe"],
        "anyOf": [*_names("probe", others), {"type": "null"}],
    }
    if others:
        spec["allOf"] = list(_by_name(defs, "probe", "probe", "with", others))


def _complete_checks(defs: Schema) -> None:
    """A check is its name, or a mapping of its name to its parameters."""
    parameters = {
        name: {"anyOf": [{"$ref": _adopted(defs, "check", name)}, {"type": "null"}]}
        for name in catalogue.names("check")
    }
    by_name = {
        "type": "object",
        "properties": parameters,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    defs["Check"] = {"description": defs["Check"]["description"], "anyOf": [*_names("check"), by_name]}


def _names(kind: str, names: list[str] | None = None) -> list[Schema]:
    """One constant for each name, with what it is."""
    known = catalogue.KINDS[kind].all()
    return [
        {"const": name, "description": text_of(known[name].declared, name)}
        for name in (known if names is None else names)
    ]


def _by_name(
    defs: Schema, kind: str, key: str, parameters: str, names: list[str] | None = None
) -> Iterator[Schema]:
    """For each name that may stand at `key`: what may stand at `parameters` then."""
    for name in catalogue.names(kind) if names is None else names:
        reference = _adopted(defs, kind, name)
        behind: Schema = {"properties": {parameters: {"$ref": reference}}}
        if defs[reference.removeprefix(_DEFS)].get("required"):
            behind["required"] = [parameters]
        yield {"if": _says(key, name), "then": behind}


def _says(key: str, value: str) -> Schema:
    return {"properties": {key: {"const": value}}, "required": [key]}


# what stands beside a driver in a target


def _complete_target(defs: Schema) -> None:
    """A role without the keys of its driver is one that is lacking; then nothing else of it is read."""
    role = defs["RoleBinding"]
    role["properties"]["driver"] = {
        **role["properties"]["driver"],
        "anyOf": [*_names("driver"), {"type": "string"}],
    }
    own = role["properties"]
    there = {"not": {"properties": {"lacking": {"minLength": 1}}, "required": ["lacking"]}}
    role["allOf"] = []
    for name in catalogue.names("driver"):
        reference = _adopted(defs, "driver", name, lenient=True)
        binding = defs[reference.removeprefix(_DEFS)]
        binding["properties"] |= dict.fromkeys(own, True)
        binding["additionalProperties"] = False
        role["allOf"].append({"if": {"allOf": [_says("driver", name), there]}, "then": {"$ref": reference}})


def _lenient(schema: Schema) -> Schema:
    """A binding's values may be references, and numbers text: `${…}` is filled in before they are typed."""
    written = schema.get("type", [])
    kinds = set(written) if isinstance(written, list) else {written}
    if kinds & _PLAIN:
        schema = {**schema, "type": sorted({"string"} | _PLAIN)}
    if kinds & {"object", "array"}:
        return {**schema, "type": sorted({"string"} | kinds), **_REFERENCE}
    if "string" in kinds and (narrow := schema.keys() & _NARROWING):
        said = {key: value for key, value in schema.items() if key not in narrow}
        return {**said, "anyOf": [{key: schema[key] for key in narrow}, _REFERENCE]}
    return schema


def _of_numbers_too(schema: Schema) -> Schema:
    return {**schema, "type": ["string", "number"]} if schema.get("type") == "string" else schema


# records of others


def _adopted(defs: Schema, kind: str, name: str, *, lenient: bool = False) -> str:
    """Take the schema of what is declared as `name` among `defs`, and all that it needs; how it is named."""
    record = catalogue.KINDS[kind].all()[name].record
    own = f"{kind}.{name}"
    if own not in defs:
        found: Schema = schema_of(record) if record else {"type": "object"}
        found = _renamed(found, {each: f"{own}.{each}" for each in found.get("$defs", {})})
        defs |= {f"{own}.{each}": inner for each, inner in found.pop("$defs", {}).items()}
        if lenient and record and record.model_config.get("coerce_numbers_to_str"):
            found = _mapped(found, _of_numbers_too)
        defs[own] = _mapped(found, _lenient) if lenient else found
    return f"{_DEFS}{own}"


def _renamed(schema: Schema, names: Mapping[str, str]) -> Schema:
    references = {f"{_DEFS}{name}": f"{_DEFS}{new}" for name, new in names.items()}

    def rename(each: Schema) -> Schema:
        return {**each, "$ref": references[each["$ref"]]} if each.get("$ref") in references else each

    return _mapped(schema, rename)


def _mapped(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A schema in which every schema is changed, from the inside out, itself last."""

    def inside(key: str, value: Any) -> Any:
        if key in _OF_MANY:
            return {name: _mapped(each, change) for name, each in value.items()}
        if key in _OF_A_LIST:
            return [_mapped(each, change) for each in value]
        return _mapped(value, change) if key in _OF_ONE and isinstance(value, dict) else value

    return change({key: inside(key, value) for key, value in schema.items()})


_COMPLETED: Mapping[str, Callable[[Schema], None]] = {
    "experiment": _complete_experiment,
    "target": _complete_target,
}
