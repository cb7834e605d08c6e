"""An HAProxy, and its runtime API.

    {driver: haproxy, socket: run/haproxy.sock, map: active.map}

One command a connection, on the stats socket; management guide, section 9.3.

    echo 'show servers state' | socat stdio /run/haproxy/admin.sock
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from seatrial.drivers.binding import Binding
from seatrial.model.problems import TooLate, Unavailable, Unreachable
from seatrial.model.strict import as_tuple


class HaproxyBinding(Binding):
    """An HAProxy: its stats socket, its backends, and the map whose `key` names the live release."""

    driver: ClassVar[str] = "haproxy"

    socket: str = Field(examples=["run/haproxy.sock"])
    """Its stats socket, at level admin."""
    map: str = Field(default="", examples=["active.map"])
    """The map that names the live release, as HAProxy's configuration names it."""
    map_file: str | None = Field(default=None, examples=["/etc/haproxy/active.map"])
    """The file of that map, which is rewritten as well: a restart forgets what was told to the socket."""
    key: str = "active"
    """The entry of the map that names the live release."""
    backends: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ("blue", "green")
    """The releases that it may name: HAProxy's backends of theirs."""


_PATIENCE_S = 2.0
_FORCED_MAINT, _FORCED_DRAIN = 0x01, 0x08  # of srv_admin_state; the other bits are not set on this socket
_RUNNING = "2"  # of srv_op_state

State = Literal["ready", "drain", "maint"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a backend: what it was told to be, and whether its checks call it up."""

    backend: str
    name: str
    state: State
    up: bool

    def __str__(self) -> str:
        return f"{self.backend}/{self.name}"


def ask(path: Path, command: str) -> str:
    """The answer to one command; HAProxy answers refusals in the same way. Raises Unavailable for silence."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    except OSError as error:
        kind = TooLate if isinstance(error, TimeoutError) else Unreachable
        raise kind(f"HAProxy's socket {path} does not answer: {error}") from error


def servers(path: Path) -> list[Server]:
    """Every server of every backend. Raises Unavailable when HAProxy does not say."""
    answer = ask(path, "show servers state")
    _, head, *lines = answer.splitlines() or [""] * 2
    columns = head.removeprefix("# ").split()
    found = []
    for line in filter(str.strip, lines):
        row = dict(zip(columns, line.split(), strict=False))
        try:
            admin, up = int(row["srv_admin_state"]), row["srv_op_state"] == _RUNNING
            found.append(Server(row["be_name"], row["srv_name"], _told(admin), up))
        except (KeyError, ValueError) as error:
            raise Unavailable(f"HAProxy's socket {path}: 'show servers state' says '{line}'") from error
    return found


def _told(admin: int) -> State:
    if admin & _FORCED_MAINT:
        return "maint"
    return "drain" if admin & _FORCED_DRAIN else "ready"


def tell(path: Path, server: str, state: State) -> None:
    """Put the server, named `backend/name`, into `state`. Raises Unavailable when HAProxy refuses."""
    answer = ask(path, f"set server {server} state {state}").strip()
    if answer:
        raise Unavailable(f"HAProxy did not set {server} to {state}: {answer}")
