"""Requests that are put into words of HTTP once, and sent again as they were.

Most requests of a scenario are the same each time: the method and the address are what it says, all else is
the client's own. So their words are kept for as long as that stays as it is, and are made anew when the
scenario has set a header, or the service a cookie. To compare is a tenth of what it takes to make them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seatrial.load.call import Call
from seatrial.load.connection import Pool

_MOST = 32  # of one virtual user; who makes up an address for each request gains nothing, and keeps no more

Said = dict[tuple[str, str], tuple[Call, Any]]  # by method and address: the request, and its words


class Prepared:
    """Those of one client."""

    __slots__ = ("_base_url", "_cookies", "_headers", "_pool", "_said")

    def __init__(self) -> None:
        self._said: Said = {}
        self._base_url = ""
        self._pool: Pool | None = None
        self._headers: dict[str, str] = {}
        self._cookies: dict[str, str] = {}

    def under(
        self, base_url: str, pool: Pool, headers: Mapping[str, str], cookies: Mapping[str, str]
    ) -> Said:
        """What was said under these circumstances; the caller adds to it what it says now."""
        if (
            base_url != self._base_url
            or pool is not self._pool
            or headers != self._headers
            or cookies != self._cookies
            or len(self._said) >= _MOST
        ):
            self._said, self._base_url, self._pool = {}, base_url, pool
            self._headers, self._cookies = dict(headers.items()), dict(cookies.items())
        return self._said
