"""Requests that are put into words of HTTP once, and sent again as they were.

Most requests of a scenario are the same each time: the method and the address are what it says, all else is
the client's own, and mostly what every other client's is. So their words are kept for all clients who would
say the same, and are made anew when the scenario has set a header, or the service a cookie. To compare is a
tenth of what it takes to make them.

    client ─┐                                             ┌► method, address ─► the request and its words
    client ─┴► base address, headers, cookies: the same ──┴► method, address ─► …

Each client for itself would keep a thousand bytes for each address that it has ever asked for: in the first
minutes of a load, as virtual users come to know all of it, they took 40 MiB of a scenario of forty addresses.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from seatrial.load.call import Call
from seatrial.load.connection import Pool

_MOST = 8192  # of all clients: 8 MiB. An address of its own for each request gains nothing, and keeps no more

Said = tuple[Call, Any]  # the request, and its words


class Kept:
    """What clients have said, by circumstances, method and address."""

    __slots__ = ("_circumstances", "_said")

    def __init__(self) -> None:
        self._said: dict[tuple[object, str, str], Said] = {}
        self._circumstances: dict[tuple[Hashable, ...], object] = {}

    def under(self, *what: Hashable) -> object:
        """Circumstances: one object for all that are alike."""
        if len(self._circumstances) >= _MOST:
            self._circumstances.clear()
        return self._circumstances.setdefault(what, object())

    def get(self, circumstances: object, method: str, url: str) -> Said | None:
        """What was said for it before."""
        return self._said.get((circumstances, method, url))

    def add(self, circumstances: object, method: str, url: str, said: Said) -> None:
        """Keep it."""
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[circumstances, method, url] = said


_OF_ALL = Kept()


class Prepared:
    """Those of one client, in whose circumstances others may be as well."""

    __slots__ = ("_base_url", "_cookies", "_headers", "_pool", "_under", "kept")

    def __init__(self, kept: Kept = _OF_ALL) -> None:
        self.kept = kept
        self._under: object = None
        self._base_url = ""
        self._pool: Pool | None = None
        self._headers: dict[str, str] = {}
        self._cookies: dict[str, str] = {}

    def under(
        self, base_url: str, pool: Pool, headers: Mapping[str, str], cookies: Mapping[str, str]
    ) -> object:
        """The circumstances, as what is `kept` knows them."""
        if (
            base_url != self._base_url
            or pool is not self._pool
            or headers != self._headers
            or cookies != self._cookies
        ):
            self._base_url, self._pool = base_url, pool
            self._headers, self._cookies = dict(headers.items()), dict(cookies.items())
            told = tuple(
                f"{name}={value}" for name, value in cookies.items()
            )  # a scenario may set what is no text
            self._under = self.kept.under(base_url, pool.words, tuple(headers.items()), told)
        return self._under
