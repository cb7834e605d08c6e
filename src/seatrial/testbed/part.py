"""What the supervisor knows of a part: a command, its files, and how to tell that it is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatrial.testbed.topology import Endpoint


@dataclass(frozen=True, slots=True)
class Probe:
    """True when, after sending `send`, an answer containing `expect` comes; with neither, when it accepts."""

    endpoint: Endpoint | Path  # a path: of a Unix socket
    send: bytes = field(default=b"", repr=False)  # may hold a password
    expect: bytes = b""

    @classmethod
    def http(cls, endpoint: Endpoint, path: str, contains: str = " 200 ") -> Probe:
        """A GET whose answer, status line included, holds `contains`."""
        request = f"GET {path} HTTP/1.0\r\nHost: {endpoint}\r\n\r\n"
        return cls(endpoint, request.encode(), contains.encode())


@dataclass(frozen=True, slots=True)
class Part:
    """One process, and what it starts. It works in its own directory, where `files` are put once (0600)."""

    name: str
    command: tuple[str, ...]
    ready: Probe
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Probe, ...] = ()  # what must hold before it is started with the others, at `up`


def matching(selector: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """`east.blue` is that part; `blue` is `east.blue` and, where there is one, `west.blue`."""
    return tuple(name for name in names if selector in (name, name.rpartition(".")[2]))
