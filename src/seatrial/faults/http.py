"""What a request that was not answered means: nobody is there, or whoever is took too long, or neither."""

from __future__ import annotations

import httpx

from seatrial.model.problems import TooLate, Unavailable, Unreachable


def no_answer(message: str, error: httpx.HTTPError) -> Unavailable:
    """`error` as one of ours, with `message` for people. A connection that was not made reached nobody."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return Unreachable(message)
        case httpx.TimeoutException():
            return TooLate(message)
        case _:
            return Unavailable(message)
