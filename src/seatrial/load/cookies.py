"""The cookies of one virtual user.

A virtual user talks to one service, so a cookie is its name and its value: domain and path are not told
apart, and they go only to the host that the user was sent to. Expiry is honoured where it means deletion.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from seatrial.load.wire import HeaderList


class CookieName(str):
    """A cookie's name, which also is the cookie, as requests and http.cookiejar give it."""

    __slots__ = ("value",)

    value: str

    @property
    def name(self) -> str:
        """The name alone."""
        return str(self)


class CookieJar(dict[str, str]):
    """Names and values; change it like any dict, or by the methods of requests' jar."""

    def __iter__(self) -> Iterator[str]:
        for name, value in self.items():
            cookie = CookieName(name)
            cookie.value = value
            yield cookie

    def set(self, name: str, value: str | None, **_: object) -> None:
        """Set a cookie; None deletes it. Domain, path and the like are not told apart."""
        if value is None:
            self.pop(name, None)
        else:
            self[name] = value

    def set_cookie(self, cookie: object) -> None:
        """Take over one of http.cookiejar's cookies."""
        self.set(getattr(cookie, "name", ""), getattr(cookie, "value", None))

    def joined_by(self, cookies: Any) -> CookieJar:
        """A jar with these as well: a mapping, or one of http.cookiejar's jars."""
        found = (
            cookies.items() if hasattr(cookies, "items") else ((each.name, each.value) for each in cookies)
        )
        return CookieJar({**dict(self.items()), **{str(name): value for name, value in found}})

    def get_dict(self, **_: object) -> dict[str, str]:
        """All of them."""
        return dict(self.items())

    def store(self, headers: HeaderList) -> None:
        """Take over what an answer sets and deletes."""
        for name, value in headers:
            if len(name) == 10 and name.lower() == b"set-cookie":
                self._set(value.decode("latin-1"))

    def header(self) -> str:
        """The value of the Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.items())

    def _set(self, cookie: str) -> None:
        pair, *attributes = cookie.split(";")
        name, found, value = pair.partition("=")
        name = name.strip()
        if not found or not name:
            return
        if any(_expired(attribute) for attribute in attributes):
            self.pop(name, None)
        else:
            self[name] = value.strip()


def _expired(attribute: str) -> bool:
    name, _, value = attribute.strip().partition("=")
    try:
        if name.lower() == "max-age":
            return int(value) <= 0
        if name.lower() == "expires":
            return parsedate_to_datetime(value).timestamp() <= time.time()
    except (ValueError, OverflowError, OSError):  # the last two for years and zones that no clock has
        pass  # an attribute that cannot be read is ignored (RFC 6265 section 5.2)
    return False
