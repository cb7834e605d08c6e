"""Quantities as options give them."""

from __future__ import annotations

from seatrial.model.problems import BadInput
from seatrial.model.quantities import Duration, Rate


def rate_of(option: str, text: str) -> Rate:
    """The rate that an option says. Raises BadInput, naming the option."""
    try:
        rate = Rate.parse(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error
    if not rate.count:
        raise BadInput(f"{option}: a load of nothing measures nothing")
    return rate


def seconds_of(option: str, text: str) -> float:
    """The duration that an option says, in seconds. Raises BadInput, naming the option."""
    try:
        return Duration.parse(text).seconds
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error
