"""A server that says whatever it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Liar:
    """Answers everybody with the same bytes, or with what `says` makes of the path that is asked for."""

    def __init__(self) -> None:
        self.says: bytes | Callable[[str], bytes] = b""
        self.url = ""
        self.port = 0

    def __call__(self, request: bytes) -> Iterator[bytes]:
        path = request.decode("latin-1").split(" ")[1] if b" " in request else ""
        yield self.says if isinstance(self.says, bytes) else self.says(path)
