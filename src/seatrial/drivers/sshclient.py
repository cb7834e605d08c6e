"""How OpenSSH's client is called: nobody is asked, only known hosts are trusted, no configuration is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_OPTIONS = {
    "BatchMode": "yes",  # nobody is there to be asked for a password
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": "5",
    "ServerAliveInterval": "2",
    "ServerAliveCountMax": "3",
    "ControlPath": "none",
    "LogLevel": "ERROR",
}


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in where, and by which keys."""

    host: str
    port: int = 22
    user: str = ""
    identity: Path | None = None
    known_hosts: Path | None = None

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
