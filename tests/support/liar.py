"""A server that says whatever it is told to."""

from __future__ import annotations

from collections.abc import Iterator


class Liar:
    """Answers everybody with the same bytes."""

    def __init__(self) -> None:
        self.says = b""

    def __call__(self, _: bytes) -> Iterator[bytes]:
        yield self.says
