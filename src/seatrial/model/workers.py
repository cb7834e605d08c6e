"""Load from several processes or machines: how many, where they meet, and what a lost one means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

OnLost = Literal["continue", "redistribute", "abort"]
Rows = Literal["stream", "keep"]


@dataclass(frozen=True, slots=True)
class Workers:
    """The load workers of a run. Without any, the load is one process that sends itself."""

    local: int = 0  # that are started on this machine
    expected: int = 0  # that come from elsewhere by themselves
    listen: str = "127.0.0.1"  # the address that the master listens on
    port: int = 0  # its port; 0: a free one
    on_lost: OnLost = "continue"
    rows: Rows = "stream"
    key: str = field(default="", repr=False)  # the secret that seals what they say; "": one is made

    @property
    def count(self) -> int:
        """All of them."""
        return self.local + self.expected


ALONE = Workers()
