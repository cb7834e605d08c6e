from __future__ import annotations

import pytest

from seatrial.load.cookies import CookieJar


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("a=1", {"a": "1"}),
        (" a = 1 ; Path=/; Secure; HttpOnly", {"a": "1"}),
        ("a=b=c; Max-Age=60", {"a": "b=c"}),
        ("a=1; Expires=Wed, 01 Jan 2200 00:00:00 GMT", {"a": "1"}),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", {}),
        ("a=; max-age=0", {}),
        ("a=1; Max-Age=soon; Expires=one day", {"a": "1"}),
        ("a=1; Expires=Mon, 01 Jan 9999999999 00:00:00 GMT", {"a": "1"}),  # a year that no clock has
        ("a=1; Expires=Mon, 01 Jan 2020 00:00:00 +99999999999999999999", {"a": "1"}),
        ("nonsense", {"a": "0"}),
        ("=1", {"a": "0"}),
    ],
)
def test_what_is_kept(cookie: str, kept: dict[str, str]) -> None:
    jar = CookieJar(a="0")
    jar.store([(b"Content-Type", b"text/html"), (b"SET-COOKIE", cookie.encode())])
    assert jar == kept


def test_the_header() -> None:
    assert CookieJar(a="1", b="2").header() == "a=1; b=2"
