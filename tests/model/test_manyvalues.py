"""Thousands of values are found by the same rules as a few, and a text without any costs no more."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.model.test_redaction import ESCAPES

from seatrial.model import secrets
from seatrial.model.manyvalues import Collected, ManyValues
from seatrial.model.redaction import Redaction

PASSWORDS = [f"pa-{number:05}/T0k=en&\"q'ä 😀<x>" for number in range(10_000)]
OF_BASE64 = {"base64", "base64 for addresses", "Basic", "base64 of more"}


def index(*columns: Iterable[str]) -> ManyValues:
    collected = Collected()
    for kind, values in enumerate(columns):
        for value in values:
            collected.add(value, kind)
    return ManyValues(collected, ["${row.password}", "${row.pin}"])


def nothing_is_plain(_: str) -> bool:
    return False


MANY = index(PASSWORDS, ["test", "1234", "abc"])


@pytest.mark.parametrize("how", sorted(ESCAPES.keys() - OF_BASE64))
def test_one_of_many_is_found_however_it_is_escaped(how: str) -> None:
    value = PASSWORDS[4321]
    text = f"before {ESCAPES[how](value)} after"
    alone = Redaction.of({value: "${row.password}"})
    assert MANY.in_words(text, nothing_is_plain) == alone.in_words(text) != text
    assert MANY.everywhere(text, nothing_is_plain) == alone.everywhere(text) != text


@pytest.mark.parametrize("before", ["", "u:", "user:", 'xx{"a":"'])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_what_is_base64_of_one_is_replaced_whole(before: str, encode: object) -> None:
    assert callable(encode)
    values = index(["s3cret~?>-T0ken", "hunter"])
    for value in ("s3cret~?>-T0ken", "hunter"):
        coded = encode(f"{before}{value}".encode()).decode()
        said = values.in_words(f"Authorization: Basic {coded} refused", nothing_is_plain)
        assert said == "Authorization: Basic base64(${row.password}) refused"


def test_a_backslash_of_its_own_is_no_escape() -> None:
    assert "0000000" not in index(["0000000\\-1"]).everywhere("a=0000000%5C-1", nothing_is_plain)


@settings(deadline=None)  # a pattern is compiled for each value
@given(
    st.lists(
        st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=8).map("{}-1".format), min_size=1
    ),
    st.data(),
    st.sampled_from(sorted(ESCAPES.keys() - OF_BASE64)),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_escaping_leaves_it_readable(
    values: list[str], data: st.DataObject, how: str, before: str, after: str
) -> None:
    value = data.draw(st.sampled_from(values))
    text = f"{before} {ESCAPES[how](value)} {after}"
    assert "${row.password}" in index(values).everywhere(text, nothing_is_plain)


@given(st.text(max_size=300))
def test_what_holds_no_value_stays_as_it_is(text: str) -> None:
    assert index(["s3cret-T0ken-1"]).in_words(text, nothing_is_plain) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the PIN test was refused", "the PIN ${row.pin} was refused"),
        ("GET /test: HTTP 401, PIN=1234.", "GET /${row.pin}: HTTP 401, PIN=${row.pin}."),
        ("the latest testbed, test.py, 12345 requests", "the latest testbed, test.py, 12345 requests"),
        ("abc is too short to be told from words", "abc is too short to be told from words"),
    ],
)
def test_a_short_value_is_found_as_a_word(text: str, expected: str) -> None:
    assert MANY.in_words(text, nothing_is_plain) == expected
    assert MANY.everywhere(text, nothing_is_plain) == text, "markup is made of words"


def test_values_are_found_at_every_place_of_a_long_text() -> None:
    values = [f"s3cret-value-{number}" for number in range(300)]
    text = "".join(f"{'x' * (number % 97)} {value} " for number, value in enumerate(values * 3))
    assert "s3cret" not in index(values).everywhere(text, nothing_is_plain)
    assert len(text) > 3 * 4096


def test_of_a_hundred_thousand_each_is_found() -> None:
    values = [f"{number * 2_654_435_761 % (1 << 64):016x}x" for number in range(100_000)]
    found = index(values)
    assert len(found) == 100_000
    assert all(found.secret_in(f"key {value}", nothing_is_plain) for value in values[::997])


def test_the_longer_of_two_is_found_first_and_keys_are_looked_at() -> None:
    both = index(["s3cret-value", "s3cret-value-and-more"])
    told = both.everywhere("s3cret-value-and-more s3cret-value", nothing_is_plain)
    assert told == "${row.password} ${row.password}"
    assert both.secret_in("id s3cret-value", nothing_is_plain) == "${row.password}"
    assert MANY.secret_in("test 1234", nothing_is_plain) == ""


def test_every_door_looks_for_them_and_what_is_in_plain_sight_is_left_alone() -> None:
    secrets.remember_rows("users.csv", index(["s3cret-T0ken", "storefront-1", "hunter"], ["4711"]))
    secrets.in_plain_sight("scenario: storefront-1.py")
    assert secrets.shown("GET /s3cret-T0ken hunter 4711 storefront-1") == (
        "GET /${row.password} ${row.password} ${row.pin} storefront-1"
    )
    assert secrets.screened("<b>s3cret-T0ken hunter</b>") == "<b>${row.password} hunter</b>"
    assert secrets.secret_in("id-s3cret-T0ken") == "${row.password}"
    secrets.in_plain_sight("hunter")
    assert secrets.shown("hunter") == "hunter"
    secrets.remember_rows("users.csv", index(["other-T0ken"]))
    assert secrets.shown("s3cret-T0ken other-T0ken") == "s3cret-T0ken ${row.password}"
