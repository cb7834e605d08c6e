"""YAML in which every value remembers its line and column.

PyYAML's own constructor is not used: it reads the key `on` as True, `02:30` as 9000 and a long chain of
aliases as gigabytes. Here keys are always text, a plain scalar is null, a boolean, a number or text (the
core schema of YAML 1.2), duplicate keys are errors, and what a file may unfold into is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Location, Path, Problem, dotted, nearest

__all__ = ["Document", "Path", "build", "dotted", "parse", "problems_of"]

Record = TypeVar("Record", bound=BaseModel)

_LARGEST_FILE = 1_000_000  # characters
_MOST_VALUES = 100_000
_DEEPEST = 40
_LONGEST_SHOWN = 60
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value", "merge"})
_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: plain data, and where each value (and each key) of it stands.

    Paths are tuples of keys and indexes: `("timeline", 1, "fault")`.
    """

    file: str
    data: Any
    text: str = field(repr=False)
    _values: Mapping[Path, tuple[int, int]] = field(repr=False)
    _keys: Mapping[Path, tuple[int, int]] = field(repr=False)

    def location(self, path: Path, *, key: bool = False) -> Location:
        """Where the value at `path` stands, else the nearest value around it."""
        if key and path in self._keys:
            return Location(self.file, *self._keys[path])
        while path and path not in self._values:
            path = path[:-1]
        return Location(self.file, *self._values.get(path, (1, 1)))

    def has(self, path: Path) -> bool:
        """Whether a value was written at `path`."""
        return path in self._values

    def problem(self, path: Path, message: str, *, key: bool = False) -> Problem:
        """`message` about the value (or, with `key`, about the key) at `path`."""
        return self.placed(Problem(message, path=path, key=key))

    def placed(self, problem: Problem) -> Problem:
        """`problem`, whose path is one in this file, with the place where that stands."""
        return replace(problem, location=self.location(problem.path, key=problem.key))

    def at(self, path: Path) -> Any:
        """The value at `path`, as it was read; None where there is none."""
        value = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def parse(text: str, file: str) -> Document:
    """Read one YAML document. Raises BadInput with all that is wrong with its form."""
    if len(text) > _LARGEST_FILE:
        raise BadInput(
            Problem(f"larger than {_LARGEST_FILE:,} characters; that is no file of ours", Location(file))
        )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
        raise BadInput(Problem(Mistake.NOT_YAML(why=error.problem or error.context), place)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise BadInput(Problem(Mistake.NOT_YAML(why=error.reason), Location(file, line, column))) from error
    except RecursionError as error:
        raise BadInput(Problem("nested too deeply", Location(file))) from error
    except ValueError as error:  # PyYAML lets some malformed escapes through as bare ValueErrors
        raise BadInput(Problem(Mistake.NOT_YAML(why=error), Location(file))) from error
    if node is None:
        raise BadInput(Problem("the file is empty", Location(file, 1, 1)))
    reader = _Reader(file)
    data = reader.read(node, ())
    if reader.problems:
        raise BadInput(reader.problems)
    return Document(file, data, text, reader.values, reader.keys)


class _Reader:
    """Turns composed nodes into plain data, noting places and problems on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[Path, tuple[int, int]] = {}
        self.keys: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def _complain(self, node: yaml.Node, path: Path, message: str) -> None:
        place = Location(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
        self.problems.append(Problem(message, place, path))

    def read(self, node: yaml.Node, path: Path) -> Any:
        if len(self.values) >= _MOST_VALUES or len(path) > _DEEPEST:
            if not self.problems:
                self._complain(node, (), "unfolds into too many values, or too deeply")
            return None
        self.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        return dict(self._pairs(node, path))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            self._complain(node, path, f"the tag {node.tag} is not understood here")
        text = str(node.value)
        if node.style is not None:
            return text
        if text.lower() in _CONSTANTS:
            return _CONSTANTS[text.lower()]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _REAL.fullmatch(text):
            return float(text)
        return text

    def _pairs(self, node: yaml.Node, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, path, "a key must be text")
                continue
            key = str(key_node.value)
            if key in seen:
                self._complain(key_node, (*path, key), Mistake.KEY_TWICE())
                continue
            seen.add(key)
            self.keys[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            yield key, self.read(value_node, (*path, key))


def build(record: type[Record], document: Document) -> Record:
    """The typed record that `document` describes. Raises BadInput with every problem, each with its place."""
    if not isinstance(document.data, dict):
        raise BadInput(document.problem((), "a mapping of keys to values is expected here"))
    try:
        return record.model_validate(document.data, by_name=False)
    except ValidationError as error:
        found = [_written(document, record, dict(detail)) for detail in error.errors()]
        raise BadInput(sorted(found, key=_place)) from error


def _written(document: Document, record: type[BaseModel], detail: dict[str, Any]) -> Problem:
    """One of pydantic's errors, at the place in the file that it is about."""
    problem = _translated(record, detail, "key")
    path = problem.path
    if detail["type"] not in (
        "missing",
        "field",
    ):  # and a value that a validator put into a normal form is not there either
        while path and not document.has(path):
            path = path[:-1]
    return document.placed(replace(problem, path=path)).about(keys_leading_to(record, path))


def problems_of(error: ValidationError, record: type[BaseModel], what: str = "key") -> list[Problem]:
    """Pydantic's errors in our words. Paths count from the `record`; `what` a key of it is called."""
    return [_translated(record, dict(detail), what) for detail in error.errors()]


def _translated(record: type[BaseModel], detail: dict[str, Any], what: str) -> Problem:
    path: Path = tuple(detail["loc"])
    kind = str(detail["type"])
    if kind == "extra_forbidden":
        unknown = str(path[-1])
        known = _field_names(record, path[:-1])
        told = Mistake.UNKNOWN_KEY(what=what, name=unknown, nearest=nearest(unknown, known))
        return Problem(told, path=path, key=True)
    if kind == "missing":
        return Problem(Mistake.MISSING_KEY(), path=path)
    if kind == "field":
        path = (*path, detail["ctx"]["field"])
    return Problem(_message(kind, detail), path=path)


_EXPECTED = {
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text (quote it)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "byte_size": "a size, such as 20GiB,",
    "byte_size_unit": "a size, such as 20GiB,",
}


def _message(kind: str, detail: dict[str, Any]) -> str:
    given = _shown(detail["input"])
    if kind in _EXPECTED and detail["input"] is None:
        return Mistake.EMPTY(expected=_EXPECTED[kind])
    if kind in _EXPECTED:
        return Mistake.OTHER_TYPE(given=given, expected=_EXPECTED[kind])
    if kind == "too_short":
        return "must not be empty" if detail["ctx"]["min_length"] == 1 else "is too short"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
        close = nearest(given, allowed)
        return f"'{given}' is not one of {', '.join(allowed)}" + (close if "did you mean" in close else "")
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _place(problem: Problem) -> tuple[int, int]:
    place = problem.location
    return (place.line or 0, place.column or 0) if place else (0, 0)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def _field_names(record: type[BaseModel], path: Path) -> list[str]:
    """The keys that may stand in the mapping at `path` of a `record`."""
    current = (record, *(inside for _, inside in _along(record, path)))[-1]
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def keys_leading_to(record: type[BaseModel], path: Path) -> str:
    """`load.rate`: the known keys on the way to `path`, for `seatrial explain`; for none, what file it is."""
    return ".".join(key for key, _ in _along(record, path)) or record.__name__.lower()


def _along(record: type[BaseModel], path: Path) -> Iterator[tuple[str, type[BaseModel] | None]]:
    """Each key of a record on the way to `path`, and the record that stands there, if one does."""
    current: type[BaseModel] | None = record
    named_by_users = False  # the next part is a key of a mapping of records, such as a role's name
    for part in path:
        if isinstance(part, int) or named_by_users:
            named_by_users = False
            continue
        fields = current.model_fields.items() if current else ()
        found = next((field for name, field in fields if part in (name, field.alias)), None)
        if found is None:
            return
        current = _record_in(found.annotation)
        named_by_users = get_origin(found.annotation) is dict
        yield part, current


def _record_in(annotation: Any) -> type[BaseModel] | None:
    """The record type inside `tuple[Step, ...]`, `Step | None` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_record_in, get_args(annotation))), None)
