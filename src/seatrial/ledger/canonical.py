"""Events and their one canonical spelling (RFC 8785), so that equal events have equal hashes everywhere.

RFC 8785 (JCS) is easy where JSON is tame and hard in two corners: numbers are printed as ECMAScript would,
and keys are sorted by UTF-16 code units. An event is restricted to where both corners vanish: keys are ASCII
(every sort order agrees) and numbers are integers below 2^53 in size (every printer agrees, every JavaScript
reader is exact). Fractions and nanosecond times are written as strings. Strings, booleans, null, lists and
nested objects are as in JSON. What is left is compact JSON with sorted keys, written here in one pass that
checks as it goes; the tests hold it to an independent implementation of the RFC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring  # escapes exactly what RFC 8785 §3.2.2.2 says; written in C

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Event = Mapping[str, Json]

LARGEST_INTEGER = 2**53 - 1
LARGEST_EVENT = 1 << 20  # bytes of canonical form: bounds memory, and how far a torn write can reach
DEEPEST = 64  # objects and lists inside one another: every JSON reader can follow


class InvalidEvent(ValueError):  # noqa: N818  # what it is, as in BadInput
    """This value cannot be an event; `path` names the offending part (`order.price`)."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path

    def within(self, part: str) -> InvalidEvent:
        """The same complaint, seen from the object or list around."""
        separator = "." if self.path and not self.path.startswith("[") else ""
        return InvalidEvent(self.reason, f"{part}{separator}{self.path}")


def canonical(event: Event) -> bytes:
    """The canonical form of an event, in UTF-8. Raises InvalidEvent."""
    if type(event) is not dict:
        raise InvalidEvent("an event is a JSON object")
    try:
        data = _object(event, 1).encode()
    except UnicodeEncodeError as error:
        raise InvalidEvent("half of a surrogate pair stands alone in a string") from error
    if len(data) > LARGEST_EVENT:
        raise InvalidEvent(f"{len(data):,} bytes long; at most {LARGEST_EVENT:,} are taken")
    return data


def parse(line: bytes) -> bytes:
    """The canonical form of the event that one line of JSON says. Raises InvalidEvent.

    A key that stands twice is refused: readers disagree on which one counts.
    """
    try:
        value = _DECODER.decode(line.decode())
    except json.JSONDecodeError as error:
        raise InvalidEvent(f"not JSON: {error.msg} at column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"not UTF-8 at byte {error.start + 1}") from error
    except RecursionError as error:
        raise InvalidEvent(f"nested more than {DEEPEST} deep") from error
    except InvalidEvent:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise InvalidEvent(_TOO_LARGE) from error
    return canonical(value)


_TOO_LARGE = "an integer of 2^53 or more; write it as a string"


def _object(members: Mapping[str, Json], depth: int) -> str:
    """`{"a":1,"b":"x"}`: the hot path of every append, hence strings are met first and inline."""
    try:
        keys = sorted(members)
    except TypeError as error:
        raise InvalidEvent("every key is a string") from error
    parts = []
    for key in keys:
        value = members[key]
        if type(value) is str:
            parts.append(_label(key) + encode_basestring(value))
            continue
        label = _label(key)
        try:
            parts.append(label + _value(value, depth))
        except InvalidEvent as error:
            raise error.within(key) from error
    return "{" + ",".join(parts) + "}"


def _value(value: Json, depth: int) -> str:
    """Any value. Types are compared exactly: a subclass (an enum, a numpy integer) may print as anything."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)  # type: ignore[arg-type]
    if kind is int:
        if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:  # type: ignore[operator]
            return repr(value)
        raise InvalidEvent(_TOO_LARGE)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind not in (dict, list, tuple):
        raise InvalidEvent(f"{kind.__name__} {value!r:.40} is not taken; write it as a string")
    if depth == DEEPEST:
        raise InvalidEvent(f"nested more than {DEEPEST} deep")
    return _object(value, depth + 1) if kind is dict else _list(value, depth + 1)  # type: ignore[arg-type]


def _list(items: Sequence[Json], depth: int) -> str:
    parts = []
    for index, item in enumerate(items):
        try:
            parts.append(_value(item, depth))
        except InvalidEvent as error:
            raise error.within(f"[{index}]") from error
    return "[" + ",".join(parts) + "]"


@lru_cache(maxsize=4096)
def _label(key: str) -> str:
    """A key with its colon. Keys repeat from event to event, so this is nearly always remembered."""
    if type(key) is not str or not key.isascii():
        raise InvalidEvent(f"the key {key!r:.40} is not ASCII text")
    return encode_basestring(key) + ":"


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidEvent(f"the key {twice!r:.40} stands twice")
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
