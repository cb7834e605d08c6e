"""A value is found however a text has escaped it, and nothing else is taken for it."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatrial.model.redaction import Redaction, cannot_be_mistaken

TOKEN = "s3cret/T0k=en&\"qu'ote\\\\ @ä \n 😀<x>"
REDACTION = Redaction.of({TOKEN: "${TOKEN}", "test": "${WORD}", "1234": "${PIN}", "abc": "${TINY}"})

ESCAPES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, but slashes": quote,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent in small letters": lambda text: re.sub("%..", lambda m: m[0].lower(), quote(text, safe="")),
    "form": quote_plus,
    "json": json.dumps,
    "json of json": lambda text: json.dumps(json.dumps(text)),
    "json unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "json slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "html": html.escape,
    "xml": escape,
    "xml attribute": quoteattr,
    "xml of xml": lambda text: html.escape(html.escape(text)),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "repr of repr": lambda text: repr(repr(text)),
    "one line": lambda text: " ".join(text.split()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "Basic": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 of more": lambda text: base64.b64encode(f'{{"a":"{text}"}}'.encode()).decode(),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_a_value_is_found_however_it_is_escaped(escape: Callable[[str], str]) -> None:
    text = f"before {escape(TOKEN)} after"
    for found in (REDACTION.everywhere(text), REDACTION.in_words(text)):
        assert "${TOKEN}" in found
        assert escape(TOKEN) not in found
        assert found.startswith("before ")
        assert found.endswith(" after")


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=6, max_size=40).map("{}-1".format),
    st.sampled_from(sorted(ESCAPES)),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_no_escaping_leaves_it_readable(value: str, how: str, before: str, after: str) -> None:
    found = Redaction.of({value: "${V}"}).everywhere(f"{before}{ESCAPES[how](value)}{after}")
    assert "${V}" in found


@given(st.text(max_size=300))
def test_what_holds_no_value_stays_as_it_is(text: str) -> None:
    assume(not any(value in text for value in ("s3cret", "test", "1234")))
    assert REDACTION.in_words(text) == text


@given(st.lists(st.sampled_from([TOKEN, "test", "1234", "${TOKEN}", " ", "x", "base64(user:${TOKEN})", "."])))
def test_what_was_put_back_is_never_searched_again(parts: list[str]) -> None:
    once = REDACTION.everywhere("".join(parts))
    assert REDACTION.everywhere(once) == once
    assert REDACTION.in_words(once).count("${TOKEN}") == once.count("${TOKEN}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the password test was refused", "the password ${WORD} was refused"),
        ("GET /test: HTTP 401", "GET /${WORD}: HTTP 401"),
        ("password=test.", "password=${WORD}."),
        ('{"password": "test"}', '{"password": "${WORD}"}'),
        ("the latest testbed, test-bed, test.py, my_test", "the latest testbed, test-bed, test.py, my_test"),
        ("PIN 1234 was refused", "PIN ${PIN} was refused"),
        ("after 1234.5 s, 0.1234 s, 12345 requests, 2026-1234", "after 1234.5 s, 0.1234 s, 12345 requests, 2026-1234"),
        ("abc is too short to be told from words", "abc is too short to be told from words"),
    ],
)  # fmt: skip
def test_a_short_value_is_found_as_a_word(text: str, expected: str) -> None:
    assert REDACTION.in_words(text) == expected
    assert REDACTION.everywhere(text) == text, "markup is made of words"


def test_of_two_values_the_longer_is_found_first() -> None:
    both = Redaction.of({"s3cret-value": "${SHORT}", "s3cret-value-and-more": "${LONG}"})
    assert both.everywhere("s3cret-value-and-more s3cret-value") == "${LONG} ${SHORT}"


def test_a_value_that_is_percent_encoded_for_an_address_is_found_decoded_too() -> None:
    assert Redaction.of({"p%40ssw0rd!": "${P}"}).everywhere("p@ssw0rd! p%40ssw0rd!") == "${P} ${P}"


@pytest.mark.parametrize(
    ("value", "sure"),
    [
        ("s3cret-12", True), ("correcthorsebattery", True), ("0123456789012345", True), ("127.0.0.1", True),
        ("database", False), ("12345678", False), ("a1-", False), ("staging", False),
    ],
)  # fmt: skip
def test_what_cannot_be_mistaken(value: str, sure: bool) -> None:
    assert cannot_be_mistaken(value) is sure


def test_rows_of_data_are_looked_at_quickly() -> None:
    assert REDACTION.secret_in(f"id {TOKEN}") == "${TOKEN}"
    assert REDACTION.secret_in("test 1234") == ""


def test_a_text_of_backslashes_costs_no_time() -> None:
    odd = Redaction.of({'a\\ \\"\\/-1234': "${ODD}"})
    text = "a" + "\\" * 200_000 + "1234"  # the last part lets the search begin
    assert odd.in_words(text) == text
