"""A service by HTTP.

    {driver: http, url: http://127.0.0.1:9000, headers: {Authorization: "Bearer ${ADMIN_TOKEN}"}}

Its admin endpoints are called by http.call, and acknowledged-writes looks writes up through it, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.drivers.stored import Copy
from seatrial.model.problems import Path
from seatrial.model.role import Role
from seatrial.model.strict import counted_in


class HttpBinding(Binding):
    """A service by HTTP: for its admin endpoints, for probes, and to look writes up one by one.

    For look-ups, `{id}` in `url` and `headers` is the write's id, `{expected[0]}` the first word of its
    content; 200 is one stored copy, 404 none.
    """

    driver: ClassVar[str] = "http"

    url: WebAddress = Field(examples=["http://127.0.0.1:9000"])
    """Its address."""
    headers: dict[str, str] = Field(
        default_factory=dict, examples=[{"Authorization": "Bearer ${ADMIN_TOKEN}"}]
    )
    """Headers of every request."""
    content: str | None = Field(default=None, examples=["{tenant} {sku} {quantity}"])
    """For look-ups: the words of the answer's JSON object that are a write's content."""
    timeout_s: Annotated[float, counted_in("seconds")] = 5.0
    """Each answer must come within that time."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def stored_writes(self, role: Role) -> HttpWrites:
        """What it answers for each write."""
        return HttpWrites(role, self)


@dataclass(frozen=True, slots=True)
class HttpWrites:
    """See `drivers.stored`."""

    role: Role
    binding: HttpBinding

    def copies(self, keys: Sequence[str]) -> Iterator[Copy]:
        from seatrial.drivers import http_writes  # noqa: PLC0415  # when it is asked

        return http_writes.ask(self.role, self.binding, keys)
