"""What is remembered is shown nowhere, and what is no secret is left alone."""

import io
import json
import logging
import sys
from dataclasses import dataclass
from enum import StrEnum

import pytest

from seatrial.model import secrets
from seatrial.model.problems import BadInput, Problem, Unavailable
from seatrial.model.references import resolve
from seatrial.model.secrets import (
    ScreenedStream,
    ShownFormatter,
    exported,
    forget,
    imported,
    in_plain_sight,
    remember,
    screened,
    secret_in,
    shown,
    shown_in,
    without_userinfo,
)

TOKEN = "s3cret-T0ken"


class Colour(StrEnum):
    RED = "rouge"


@dataclass(frozen=True, slots=True)
class Record:
    text: str
    number: float
    colour: Colour
    inner: "Record | None" = None


def test_what_was_resolved_is_shown_as_it_was_written() -> None:
    assert resolve({"url": ["http://user:${TOKEN}@host/"]}, {"TOKEN": TOKEN}) == {
        "url": [f"http://user:{TOKEN}@host/"]
    }
    assert shown(f"GET http://user:{TOKEN}@host/: refused") == "GET http://user:${TOKEN}@host/: refused"
    assert screened(f"<p>{TOKEN}</p>") == "<p>${TOKEN}</p>"
    assert secret_in(f"id {TOKEN}") == "${TOKEN}"
    with pytest.raises(KeyError):
        resolve("${UNSET}", {})


def test_a_short_password_is_found_in_the_header_that_it_is_sent_in() -> None:
    resolve("http://me:${PW}@host", {"PW": "ab"})
    assert shown("Authorization: Basic bWU6YWI=, refused") == "Authorization: Basic base64(me:${PW}), refused"


def test_every_line_of_a_long_value_counts() -> None:
    remember("-----BEGIN KEY-----\nMIIEvQIBADANBgkq+hkiG9w0\n-----END KEY-----\n", "${KEY}")
    assert shown("cannot read MIIEvQIBADANBgkq+hkiG9w0") == "cannot read ${KEY}"
    assert shown("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_what_stands_in_plain_sight_is_no_secret() -> None:
    resolve(
        ["${HOST}", "${NAME}", "${TOKEN}", "${WORD}"],
        {"HOST": "127.0.0.1", "NAME": "shop", "TOKEN": TOKEN, "WORD": "pass"},
    )
    assert shown("127.0.0.1 of shop") == "${HOST} of ${NAME}"
    in_plain_sight("target: shop\nallow: [127.0.0.1]\n")
    assert shown(f"127.0.0.1 of shop: pass, {TOKEN}") == "127.0.0.1 of shop: pass, ${TOKEN}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at redis://:hunter2@h:6379/0", "at redis://:***@h:6379/0"),
        ("postgresql://u:p@ss@h/db is away", "postgresql://u:***@h/db is away"),
        ('redis-cli -u "redis://:${PW}@h/0" ping', 'redis-cli -u "redis://:${PW}@h/0" ping'),
        ("http://user@host/, mail a:b@c, http://h:80/x@y", "http://user@host/, mail a:b@c, http://h:80/x@y"),
        ("http://u:***@h", "http://u:***@h"),
    ],
)
def test_a_password_in_an_address_is_masked_wherever_it_came_from(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://user:${TOKEN}@127.0.0.1:9000/x@y", "http://127.0.0.1:9000/x@y"),
        ("http://${TOKEN}@[::1]:9000", "http://[::1]:9000"),
        ("https://shop.example/?mail=a@b", "https://shop.example/?mail=a@b"),
    ],
)
def test_addresses_are_shown_without_userinfo(address: str, expected: str) -> None:
    assert without_userinfo(address) == expected


def test_records_are_shown_whole() -> None:
    remember(TOKEN, "${TOKEN}")
    remember("rouge", "${COLOUR}")
    inner = Record("fine", 1.5, Colour.RED)
    found = shown_in(Record(f"a {TOKEN}", 2.0, Colour.RED, inner))
    assert found == Record("a ${TOKEN}", 2.0, Colour.RED, inner)
    assert found.inner is inner
    assert shown_in({TOKEN: [TOKEN, (TOKEN, 1)], "n": None}) == {
        TOKEN: ["${TOKEN}", ("${TOKEN}", 1)],
        "n": None,
    }


def test_errors_for_people_hold_no_secret() -> None:
    remember(TOKEN, "${TOKEN}")
    assert str(Unavailable(f"GET /?t={TOKEN}")) == "GET /?t=${TOKEN}"
    assert str(BadInput(Problem(f"'{TOKEN}' is no rate"))) == "'${TOKEN}' is no rate"


def test_log_lines_and_their_tracebacks_hold_no_secret() -> None:
    remember(TOKEN, "${TOKEN}")
    try:
        raise ValueError(f"bad {TOKEN}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "said %s", (TOKEN,), sys.exc_info())
    line = ShownFormatter("%(message)s").format(record)
    assert line.startswith("said ${TOKEN}\nTraceback")
    assert line.endswith("ValueError: bad ${TOKEN}")


def test_a_stream_is_screened_and_remains_a_stream() -> None:
    remember(TOKEN, "${TOKEN}")
    below = io.StringIO()
    stream = ScreenedStream(below)
    print("said", TOKEN, file=stream)
    assert stream.write(TOKEN) == len(TOKEN)
    stream.writelines([TOKEN])
    assert below.getvalue() == "said ${TOKEN}\n${TOKEN}${TOKEN}"
    assert not stream.isatty()


def test_another_process_learns_what_this_one_hides() -> None:
    resolve(["${HOST}", "http://u:${TOKEN}@h"], {"TOKEN": TOKEN, "HOST": "127.0.0.1"})
    in_plain_sight("allow: [127.0.0.1]")
    told = exported()
    assert "127.0.0.1" not in json.loads(told)
    forget()
    assert shown(TOKEN) == TOKEN
    imported(told)
    assert shown(f"{TOKEN} at 127.0.0.1") == "${TOKEN} at 127.0.0.1"


def test_the_same_name_may_have_had_two_values() -> None:
    for value in ("s3cret-first", "s3cret-second"):
        secrets.remember(value, "${TOKEN}")
    assert shown("s3cret-first s3cret-second") == "${TOKEN} ${TOKEN}"
