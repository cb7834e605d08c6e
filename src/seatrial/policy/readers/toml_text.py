"""TOML, such as `pyproject.toml`. Dates and times become text as TOML writes them: JSON has none."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time
from typing import Any

from seatrial.policy.readers.part import NotReadable, Part

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read(text: str) -> list[Part]:
    """The one document. Raises NotReadable."""
    try:
        return [Part(_plain(tomllib.loads(text)))]
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        place = _PLACE.search(told)
        why = f"not valid TOML: {_PLACE.sub('', told).removesuffix(' (at end of document)')}"
        if place is None:
            raise NotReadable(why, text.count("\n") + 1) from error
        raise NotReadable(why, int(place[1]), int(place[2])) from error
    except ValueError as error:  # a number of more digits than Python reads
        raise NotReadable(f"not valid TOML: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, float) and value not in (value + 0.0, 0.0):
        raise NotReadable("holds nan, which JSON and policies do not know")
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise NotReadable("holds an infinite number, which JSON and policies do not know")
    return value
