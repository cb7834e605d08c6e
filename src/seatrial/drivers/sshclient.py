"""How OpenSSH's client is called: nobody is asked, only known hosts are trusted, no configuration is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

_OPTIONS = {
    "BatchMode": "yes",  # nobody is there to be asked for a password
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": "5",
    "ServerAliveInterval": "2",
    "ServerAliveCountMax": "3",
    "ControlPath": "none",
    "LogLevel": "ERROR",
}


class Described(Protocol):
    """A machine as a file describes it; what it leaves out is empty."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def known_hosts(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in where, and by which keys."""

    host: str
    port: int = 22
    user: str = ""
    identity: Path | None = None
    known_hosts: Path | None = None

    @classmethod
    def to(cls, machine: Described, path: Callable[[str], Path] = Path) -> Self:
        """The one to a described machine; `path` finds the files that are named there."""
        identity, known_hosts = (
            path(named) if named else None for named in (machine.identity, machine.known_hosts)
        )
        return cls(machine.host, machine.port, machine.user, identity, known_hosts)

    def command(self, address: str, there: str, *flags: str, **options: str) -> list[str]:
        """What runs `there` at an address of the host; `options` replace those that all have."""
        wanted = _OPTIONS | options
        if self.identity is not None:
            wanted |= {"IdentityFile": str(self.identity), "IdentitiesOnly": "yes"}
        if self.known_hosts is not None:
            wanted |= {"UserKnownHostsFile": str(self.known_hosts), "GlobalKnownHostsFile": "none"}
        wanted |= {"HostKeyAlias": self.host if self.port == 22 else f"[{self.host}]:{self.port}"}
        given = [part for name, value in wanted.items() for part in ("-o", f"{name}={value}")]
        user = ["-l", self.user] if self.user else []
        return ["ssh", "-F", "none", "-T", *given, *flags, "-p", str(self.port), *user, address, there]
