"""JSON, strict and with comments (`tsconfig.json`, `*.jsonc`).

A key that stands twice in an object is an error: a reviewer sees the first, a program takes the last, and a
policy could judge only one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from seatrial.policy.readers.part import NotReadable, Part

_PLACE = re.compile(r"<string>:(\d+) (.*?)(?: at column (\d+))?$", re.DOTALL)


def read(text: str) -> list[Part]:
    """The one document. Raises NotReadable."""
    try:
        return [Part(json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant))]
    except json.JSONDecodeError as error:
        raise NotReadable(f"not valid JSON: {error.msg}", error.lineno, error.colno) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise NotReadable(f"not valid JSON: {error}") from error


def read_with_comments(text: str) -> list[Part]:
    """The one document, which may hold comments and trailing commas. Raises NotReadable."""
    import json5  # noqa: PLC0415  # of the extra `policy`, and slow to load

    try:
        return read(text)  # most have neither, and json5 is slow
    except NotReadable as strict:
        if "stands twice" in strict.why:
            raise
    try:
        data = json5.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except ValueError as error:
        place = _PLACE.match(str(error))
        if place is None:
            raise NotReadable(f"not valid JSON with comments: {error}") from error
        line, why, column = place.groups()
        why = f"not valid JSON with comments: {why[:1].lower()}{why[1:]}"
        raise NotReadable(why, int(line), int(column) if column else None) from error
    return [Part(data)]


def _distinct(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotReadable(f"the key '{twice}' stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotReadable(f"not valid JSON: {name} is no number")
