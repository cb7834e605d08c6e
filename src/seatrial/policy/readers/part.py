"""What a reader gives: the documents of a file, or where and why it cannot be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MOST_VALUES = 1_000_000
"""What a file may unfold into, aliases included."""


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file, as JSON knows data. `line`: where it begins, counted from 1."""

    data: Any
    line: int = 1


class NotReadable(Exception):  # noqa: N818  # what the file is
    """A file that is not what its name says. `line` and `column` count from 1; None: nobody can tell."""

    def __init__(self, why: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(why)
        self.why, self.line, self.column = why, line, column


def as_json(data: Any) -> str:
    """Data as engines take it. Raises NotReadable for what JSON cannot say."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError as error:
        raise NotReadable("holds half of a surrogate pair, which is no text") from error
    except ValueError as error:  # infinite, or of more digits than Python writes
        raise NotReadable(f"holds a number that policies do not know: {error}") from error
    return text
