"""The cookies of one virtual user.

A virtual user talks to one service, so a cookie is its name and its value: domain and path are not told
apart, and they go only to the host that the user was sent to. Expiry is honoured where it means deletion.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from seatrial.load.wire import HeaderList


class CookieJar(dict[str, str]):
    """Names and values; change it like any dict."""

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
    except ValueError:
        pass  # an attribute that cannot be read is ignored (RFC 6265 section 5.2)
    return False
