"""YAML as conftest reads it: that of YAML 1.1 with which Kubernetes reads its manifests.

`on`, `yes` and `0777` are true, true and 511, as the programs take them that will use the file; times and
dates stay text. Keys are text. A key that stands twice is an error: a policy could judge only one of them.
PyYAML scans and composes; its constructor is not used, for it knows times, Python's own types, and no bound
on what a chain of aliases unfolds into.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from seatrial.policy.readers.part import MOST_VALUES, NotReadable, Part

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100
_PREFIX = "tag:yaml.org,2002:"
_OCTAL = re.compile(r"[-+]?0o[0-7_]+")
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]{1,2}")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_TRUE, _FALSE = ("yes", "true", "on"), ("no", "false", "off")


def read(text: str) -> list[Part]:
    """Each document in order; that of an empty file is null. Raises NotReadable."""
    try:
        return list(_documents(text)) or [Part(None)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = f"not valid YAML: {error.problem or error.context}"
        raise NotReadable(why, mark.line + 1 if mark else None, mark.column + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise NotReadable(f"not valid YAML: {error.reason}", line, column) from error
    except ValueError as error:  # PyYAML lets some malformed escapes and numbers through as bare ValueErrors
        raise NotReadable(f"not valid YAML: {error}") from error


def _documents(text: str) -> Iterator[Part]:
    loader = _LOADER(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield Part(_Unfolding().value(node, 0), node.start_mark.line + 1)
    finally:
        loader.dispose()


class _Unfolding:
    """One document's nodes as plain data, counted as they unfold."""

    def __init__(self) -> None:
        self.values = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.values += 1
        if self.values > MOST_VALUES or depth > _DEEPEST:
            raise _at(node, "unfolds into too many values, or too deeply")
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, depth + 1) for each in node.value]
        return self.mapping(node, depth)

    def mapping(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        """A mapping; keys of what `<<` merges into it stand back behind its own."""
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_PREFIX}merge":
                for each in self.merged(value_node, depth):
                    merged = each | merged  # the first that is merged wins
                continue
            key = _key(key_node)
            if key in own:
                raise _at(key_node, f"the key '{key}' stands twice in one mapping")
            own[key] = self.value(value_node, depth + 1)
        return merged | own

    def merged(self, node: yaml.Node, depth: int) -> Iterator[dict[str, Any]]:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.MappingNode):
                raise _at(each, "only mappings can be merged with <<")
            yield self.value(each, depth + 1)


def _scalar(node: yaml.ScalarNode) -> Any:
    kind, text = node.tag.removeprefix(_PREFIX), str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return _boolean(node, text)
    if kind in ("int", "float") and not _SEXAGESIMAL.fullmatch(text):
        return _number(node, kind, text)
    if kind == "str" and not node.style and _OCTAL.fullmatch(text):
        return int(text.replace("_", ""), 8)
    if kind == "str" and not node.style and _EXPONENT.fullmatch(text):
        return float(text)
    return text  # text, times, binary data, and tags that only the program knows (`!Ref`)


def _boolean(node: yaml.ScalarNode, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise _at(node, f"'{text}' is tagged as a boolean and is none")


def _number(node: yaml.ScalarNode, kind: str, text: str) -> int | float:
    plain = text.replace("_", "").lower()
    try:
        if kind == "float":
            found = float(plain.replace(".inf", "inf").replace(".nan", "nan"))
            if not math.isfinite(found):
                raise _at(node, f"{text} is no number that JSON and policies know")
            return found
        if re.fullmatch(r"[-+]?0[0-7]+", plain):
            return int(plain, 8)
        return int(plain, 0)
    except ValueError as error:
        raise _at(node, f"'{text}' is tagged as a number and is none") from error


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _at(node, "a key must be text, a number or a boolean")
    value = _scalar(node)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _at(node: yaml.Node, why: str) -> NotReadable:
    return NotReadable(why, node.start_mark.line + 1, node.start_mark.column + 1)
