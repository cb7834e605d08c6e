"""An HAProxy, and its runtime API.

    {driver: haproxy, socket: run/haproxy.sock, map: active.map}

One command a connection, on the stats socket; management guide, section 9.3. Which release gets the traffic
is said by an entry of a map, or by the states of servers: `servers: {blue: [app/blue], green: [app/green]}`.

    echo 'show servers state' | socat stdio /run/haproxy/admin.sock
    echo 'set map /run/haproxy/active.map active green' | socat stdio /run/haproxy/admin.sock

`set map` takes effect for the next request without dropping one, unlike a reload or restart. A map changed
this way is forgotten by a restart; `map_file`, if given, is rewritten.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from seatrial.drivers.binding import Binding, Files
from seatrial.model.problems import BadInput, TooLate, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple
from seatrial.waiting import wait_while

Servers = Annotated[Files, Field(min_length=1)]


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
    servers: Mapping[str, Servers] = Field(default_factory=dict, examples=[{"blue": "app/blue"}])
    """Instead of a map: the servers of each release, as `backend/server`; those of one are ready."""

    def as_releases(self, role: Role) -> ByMap | ByServers:
        """By the states of servers where they are listed, else by the map."""
        if self.servers:
            return ByServers(role.path(self.socket), self.servers)
        if not self.map:
            told = "is missing: which map names the live release? Or list the `servers` of each"
            raise BadInput(role.problem(("map",), told))
        file = role.path(self.map_file) if self.map_file else None
        return ByMap(role.path(self.socket), self.map, self.key, self.backends, file)


_PATIENCE_S = 2.0
_UP_WITHIN_S = 30.0  # servers that are made ready have checks to pass
_LOOK_EVERY_S = 0.02
_FORCED_MAINT, _FORCED_DRAIN = 0x01, 0x08  # of srv_admin_state; the other bits are not set on this socket
_RUNNING = "2"  # of srv_op_state

ServerState = Literal["ready", "drain", "maint"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a backend: what it was told to be, and whether its checks call it up."""

    backend: str
    name: str
    state: ServerState
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


def _told(admin: int) -> ServerState:
    if admin & _FORCED_MAINT:
        return "maint"
    return "drain" if admin & _FORCED_DRAIN else "ready"


def tell(path: Path, server: str, state: ServerState) -> None:
    """Put the server, named `backend/name`, into `state`. Raises Unavailable when HAProxy refuses."""
    answer = ask(path, f"set server {server} state {state}").strip()
    if answer:
        raise Unavailable(f"HAProxy did not set {server} to {state}: {answer}")


@dataclass(frozen=True, slots=True)
class ByMap:
    """The entry of a map that names the release which gets the traffic. See `drivers.releases`."""

    socket: Path
    map: str
    key: str
    names: Sequence[str] = ()
    file: Path | None = None

    def live(self) -> str:
        for line in ask(self.socket, f"show map {self.map}").splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] == self.key:
                return fields[2]
        raise Unavailable(f"HAProxy's map {self.map} has no key '{self.key}'")

    def make_live(self, release: str) -> None:
        if self.live() == release:
            return
        answer = ask(self.socket, f"set map {self.map} {self.key} {release}").strip()
        if answer:
            raise Unavailable(f"HAProxy did not set {self.key} to {release}: {answer}")
        if self.file is not None:
            self.file.write_text(f"{self.key} {release}\n")

    def by_hand(self, release: str) -> str:
        return f"echo 'set map {self.map} {self.key} {release}' | socat stdio {self.socket}"


@dataclass(frozen=True, slots=True)
class ByServers:
    """The release whose servers are ready, while those of all others drain. See `drivers.releases`.

    The new servers are ready, and have passed their checks, before the old ones are drained: at no instant is
    there nobody. A drained server ends what it has begun.
    """

    socket: Path
    servers: Mapping[str, Sequence[str]]

    @property
    def names(self) -> Sequence[str]:
        """As the target file lists them."""
        return tuple(self.servers)

    def live(self) -> str:
        found = {str(each): each for each in servers(self.socket)}
        serving = [release for release in self.servers if self._ready(release, found)]
        if len(serving) != 1:
            told = " and ".join(serving) or "no release alone"
            raise Unavailable(f"HAProxy at {self.socket}: the servers of {told} are ready")
        return serving[0]

    def _ready(self, release: str, found: Mapping[str, Server]) -> bool:
        """Whether any of its servers takes new requests."""
        for name in self.servers[release]:
            if name not in found:
                raise Unavailable(f"HAProxy at {self.socket} has no server {name}")
        return any(found[name].state == "ready" for name in self.servers[release])

    def make_live(self, release: str) -> None:
        for name in self.servers[release]:
            tell(self.socket, name, "ready")
        self._await_up(release)
        for other in self.servers.keys() - {release}:
            for name in self.servers[other]:
                tell(self.socket, name, "drain")

    def _await_up(self, release: str) -> None:
        if down := wait_while(lambda: self._down(release), _UP_WITHIN_S, _LOOK_EVERY_S):
            raise TooLate(f"{', '.join(down)} did not come up within {_UP_WITHIN_S:g}s")

    def _down(self, release: str) -> list[str]:
        up = {str(each) for each in servers(self.socket) if each.up}
        return [name for name in self.servers[release] if name not in up]

    def by_hand(self, release: str) -> str:
        ready = [f"set server {name} state ready" for name in self.servers[release]]
        others = self.servers.keys() - {release}
        drained = [f"set server {name} state drain" for other in others for name in self.servers[other]]
        return "; ".join(f"echo '{command}' | socat stdio {self.socket}" for command in [*ready, *drained])
