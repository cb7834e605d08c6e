"""One spelling for every event, the one that RFC 8785 prescribes."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import IntEnum

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger.canonical import DEEPEST, LARGEST_EVENT, LARGEST_INTEGER, InvalidEvent, canonical, parse

integers = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)
events = st.dictionaries(keys, values)


class Colour(IntEnum):
    RED = 1


@given(events)
def test_is_what_rfc_8785_says_and_compact_json_with_sorted_keys(event: dict[str, object]) -> None:
    spelled = canonical(event)  # type: ignore[arg-type]
    assert spelled == rfc8785.dumps(event)  # type: ignore[arg-type]
    plain = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert spelled == plain.encode()


@given(events, st.sampled_from([None, 1, 4]), st.booleans())
def test_however_a_line_is_spelled_it_is_the_same_event(
    event: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    line = json.dumps(event, ensure_ascii=ascii_only, indent=indent).encode()
    spelled = parse(line)
    assert spelled == canonical(event)  # type: ignore[arg-type]
    assert parse(spelled) == spelled


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ([], "an event is a JSON object"),
        ({"a": 1.5}, "a: float 1.5 is not taken; write it as a string"),
        ({"a": {"b": [0, 2**53]}}, r"a.b\[1\]: an integer of 2\^53 or more; write it as a string"),
        ({"a": [{"b": float("nan")}]}, r"a\[0\].b: float nan is not taken"),
        ({"a": -(2**53)}, "a: an integer"),
        ({"é": 1}, "the key 'é' is not ASCII text"),
        ({1: 1}, "the key 1 is not ASCII text"),
        ({1: 1, "a": 1}, "every key is a string"),
        ({"a": b"bytes"}, "a: bytes b'bytes' is not taken"),
        ({"a": Colour.RED}, "a: Colour <Colour.RED: 1> is not taken"),
        ({"a": "\ud800"}, "half of a surrogate pair"),
        ({"a": "x" * LARGEST_EVENT}, "1,048,584 bytes long; at most 1,048,576 are taken"),
    ],
)
def test_what_is_no_event_is_refused_with_its_path(event: object, reason: str) -> None:
    with pytest.raises(InvalidEvent, match=reason):
        canonical(event)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        (b'{"a":1}{"b":2}', "not JSON: Extra data at column 8"),
        (b'"text"', "an event is a JSON object"),
        (b'{"a":1,"b":2,"a":3}', "the key 'a' stands twice"),
        (b'{"x":{"a":1,"a":1}}', "the key 'a' stands twice"),
        (b'{"a":1e3}', "a: float 1000.0 is not taken"),
        (b'{"a":NaN}', "a: float nan is not taken"),
        (b'{"a":"\\ud800"}', "half of a surrogate pair"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 7"),
        (b'{"a":' + b"9" * 5000 + b"}", r"an integer of 2\^53 or more"),
        (b'{"a":' + b"[" * 100_000, "nested more than 64 deep"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(InvalidEvent, match=reason):
        parse(line)


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: [inner]])
def test_depth_is_bounded(wrap: Callable[[object], object]) -> None:
    nested: object = "core"
    for _ in range(DEEPEST - 1):
        nested = wrap(nested)
    canonical({"a": nested})  # type: ignore[dict-item]
    with pytest.raises(InvalidEvent, match="nested more than 64 deep"):
        canonical({"a": [nested]})  # type: ignore[list-item]


def test_lists_and_tuples_are_one() -> None:
    assert canonical({"a": (1, 2)}) == canonical({"a": [1, 2]})
