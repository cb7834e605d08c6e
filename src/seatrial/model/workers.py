"""Load from several processes or machines: how many, where they meet, and what a lost one means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from seatrial.model.workerhosts import WorkerHost

OnLost = Literal["continue", "redistribute", "abort"]
Rows = Literal["stream", "keep"]

MOST_ON_A_MACHINE = 256  # workers; each is a process that wants a core
_EVERYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104  # what is compared, and not listened on


@dataclass(frozen=True, slots=True)
class Workers:
    """The load workers of a run. Without any, the load is one process that sends itself."""

    local: int = 0  # that are started on this machine
    expected: int = 0  # that come from elsewhere by themselves
    hosts: tuple[WorkerHost, ...] = ()  # on which others are started by SSH
    at: str = ""  # the file that names them
    listen: str = "127.0.0.1"  # the address that the master listens on
    port: int = 0  # its port; 0: a free one
    on_lost: OnLost = "continue"
    rows: Rows = "stream"
    key: str = field(default="", repr=False)  # the secret that seals what they say; "": one is made

    @property
    def count(self) -> int:
        """All of them."""
        return self.local + self.elsewhere

    def options(self) -> dict[str, str]:
        """How they share the load, as options of a command; what is as ever is left out."""
        place = f"[{self.listen}]" if ":" in self.listen else self.listen
        place += f":{self.port}" if self.port else ""
        said = {"--workers-listen": place, "--on-lost": self.on_lost, "--rows": self.rows}
        usual = {"--workers-listen": ALONE.listen, "--on-lost": ALONE.on_lost, "--rows": ALONE.rows}
        return {option: value for option, value in said.items() if value != usual[option]}

    def told(self) -> Iterator[str]:
        """Who they are, as people read it."""
        if self.local:
            yield f"{self.local} here"
        if self.expected:
            yield f"{self.expected} that come by themselves"
        for host in self.hosts:
            yield f"{host.processes} at {host.destination}, by SSH"

    @property
    def elsewhere(self) -> int:
        """Those of other machines, whoever starts them."""
        return self.expected + sum(host.processes for host in self.hosts)

    @property
    def met_at(self) -> str:
        """The address by which the master is reached from its own machine."""
        return "127.0.0.1" if self.everywhere else self.listen

    @property
    def everywhere(self) -> bool:
        """Whether the master listens on every address."""
        return self.listen in _EVERYWHERE


ALONE = Workers()
