"""Take servers out of an HAProxy's rotation, as an operator does before maintenance.

    {at: 5s, fault: edge.drain, on: edge, for: 10s, with: {backend: blue, server: east.blue}}
    {at: 5s, fault: edge.drain, on: edge, for: 10s, with: {server: "east.*"}}     # one region, every release

A drained server gets no new request and finishes those that it has; one in maintenance (`state: maint`) is
not even checked. A fault rather than an action, for capacity is missing while it lasts and it has an end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from seatrial.drivers.haproxy import HaproxyBinding, Server, ServerState, servers, tell
from seatrial.model.problems import BadInput, Problem, Unavailable, nearest
from seatrial.model.role import Role
from seatrial.model.undo import none_of
from seatrial.undo.protocol import Declared, Undo


class Drained(BaseModel):
    """What each server had been told to be, by its `backend/name`."""

    before: dict[str, ServerState]


class EdgeDrain(Declared):
    """Drains the servers that it names."""

    name: ClassVar[str] = "edge.drain"
    drivers: ClassVar[frozenset[str]] = frozenset({"haproxy"})

    backend: str = Field(default="*", examples=["blue"])
    """The backends, by their name or a pattern."""
    server: str = Field(default="*", examples=["east.*"])
    """The servers of those backends, by their name or a pattern."""
    state: Literal["drain", "maint"] = "drain"
    """drain: no new request; maint: not even checked."""

    @classmethod
    def variations(cls, role: Role) -> Sequence[Mapping[str, Any]]:
        """Each server of a backend that has another: to drain the last is to switch the service off."""
        ours = _servers(role)
        many = {each.backend for each in ours if sum(other.backend == each.backend for other in ours) > 1}
        return [{"backend": each.backend, "server": each.name} for each in ours if each.backend in many]

    def fit(self, role: Role) -> None:
        backends = role.bound_to(HaproxyBinding).backends
        if not any(fnmatchcase(backend, self.backend) for backend in backends):
            told = f"'{self.backend}' is no backend of {role.name}{nearest(self.backend, backends)}"
            raise BadInput(Problem(told, path=("with", "backend")))

    def prepare(self, role: Role) -> Undo:
        ours = _servers(role)
        chosen = [
            each
            for each in ours
            if fnmatchcase(each.backend, self.backend) and fnmatchcase(each.name, self.server)
        ]
        if not chosen:
            wanted = f"{self.backend}/{self.server}"
            raise BadInput(
                f"with.server: {role.name} has no server {wanted}{nearest(wanted, map(str, ours))}"
            )
        orders = " && ".join(
            f"echo 'set server {each} state {each.state}' | socat stdio {_socket(role)}" for each in chosen
        )
        return self.noting(
            role,
            Drained(before={str(each): each.state for each in chosen}),
            touches=f"{role.name}: {', '.join(map(str, chosen))} → {self.state}",
            by_hand=orders,
        )

    def inject(self, undo: Undo) -> None:
        for server in undo.noted(Drained).before:
            tell(_socket(undo.role), server, self.state)

    def effective(self, undo: Undo) -> bool:
        """Whether HAProxy lists them so; of what had been so before the injection, nothing can be seen."""
        before = undo.noted(Drained).before
        changed = {server for server, state in before.items() if state != self.state}
        now = {str(each): each.state for each in _servers(undo.role)}
        return bool(changed) and all(now.get(server) == self.state for server in changed)

    def undo(self, undo: Undo) -> None:
        role, before = undo.role, undo.noted(Drained).before
        for each in _servers(role):
            if each.state != before.get(str(each), each.state):
                tell(_socket(role), str(each), before[str(each)])
        if not self.gone(undo):
            raise Unavailable(f"{role.name}: {', '.join(before)} did not go back to what it was")

    def gone(self, undo: Undo) -> bool:
        """Whether each server is told to be what it was; one that is no longer configured is not drained."""
        before = undo.noted(Drained).before
        ours = _servers(undo.role)
        wrong = [str(each) for each in ours if each.state != before.get(str(each), each.state)]
        return none_of(wrong, list(before), "did not go back to what it was")

    def healthy(self, role: Role) -> bool:
        """Whether every backend has a server that takes requests."""
        ours = _servers(role)
        serving = {each.backend for each in ours if each.up and each.state == "ready"}
        idle = sorted({each.backend for each in ours} - serving)
        if idle:
            raise Unavailable(f"{role.name}: nobody takes requests for {', '.join(idle)}")
        return True


def _socket(role: Role) -> Path:
    return role.path(role.bound_to(HaproxyBinding).socket)


def _servers(role: Role) -> list[Server]:
    """Those of the backends that the target declares."""
    backends = role.bound_to(HaproxyBinding).backends
    return [each for each in servers(_socket(role)) if each.backend in backends]
