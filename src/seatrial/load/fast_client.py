"""What Locust's FastHttpUser has at its client beside what other users have."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from seatrial.load.client import Client
from seatrial.load.cookies import CookieJar
from seatrial.load.not_offered import say_unused
from seatrial.load.response import Response


class FastResponse(Response):
    """An answer whose pieces are text."""

    __slots__ = ()

    def iter_content(  # type: ignore[override]  # as at Locust's two kinds of answers
        self, chunk_size: int = 1024, decode_content: bool = True
    ) -> Iterator[Any]:
        """The content in pieces. It has been read whole, within the deadline."""
        return super().iter_content(chunk_size, decode_unicode=decode_content)


class FastClient(Client):
    """A client by the names of Locust's FastHttpSession."""

    _answers = FastResponse

    @property
    def cookiejar(self) -> CookieJar:
        """The cookies."""
        return self.cookies

    @property
    def client(self) -> Any:
        """Something on which `clientpool.close()` may be called, as Locust advises for new connections."""
        return SimpleNamespace(clientpool=SimpleNamespace(close=_keep_connections))

    def iter_lines(self, url: str, method: str = "GET", **options: Any) -> Iterator[str]:
        """Request `url`, and give the lines of the answer. Raises what `raise_for_status` does."""
        response = self.request(method, url, **options)
        response.raise_for_status()
        yield from response.iter_lines(decode_unicode=True)


def _keep_connections() -> None:
    say_unused("client.client.clientpool.close", "connections are the load's own, and shared")
