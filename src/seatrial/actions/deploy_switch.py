"""Blue-green: send the traffic to the other release."""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.action import Action
from seatrial.actions.haproxy import Edge, LiveRelease
from seatrial.faults.protocol import Role, Undo
from seatrial.model.problems import BadInput
from seatrial.model.strict import Strict


class Switched(Strict):
    """What undoing a switch needs."""

    before: str  # the release that was live before the run's first switch
    to: str


class DeploySwitch(Action):
    """Make `to` the live release; with two releases, the other one when `to` is not given."""

    name: ClassVar[str] = "deploy.switch"
    drivers: ClassVar[frozenset[str]] = frozenset({"haproxy"})

    to: str | None = None

    def look(self, role: Role) -> Undo:
        edge = role.bound_to(Edge)
        live = _live_release(role)
        before = live.read()
        others = [release for release in edge.backends if release != before]
        to = self.to or (others[0] if len(others) == 1 else "")
        if to not in edge.backends:
            raise BadInput(
                f"{self.name}: '{to}' is not one of {', '.join(edge.backends)}; say which with `to:`"
            )
        return self.noting(
            role,
            Switched(before=before, to=to),
            touches=f"{role.name}: live release {before} → {to}",
            by_hand=f"echo 'set map {live.map} {live.key} {before}' | socat stdio {live.socket}",
        )

    def inject(self, undo: Undo) -> None:
        _live_release(undo.role).write(undo.noted(Switched).to)

    def undo(self, undo: Undo) -> None:
        live, before = _live_release(undo.role), undo.noted(Switched).before
        if live.read() != before:
            live.write(before)

    def gone(self, undo: Undo) -> bool:
        return _live_release(undo.role).read() == undo.noted(Switched).before

    def healthy(self, role: Role) -> bool:
        """Whether the edge sends the traffic to a release at all; to which, `gone` knows."""
        return _live_release(role).read() in role.bound_to(Edge).backends


def _live_release(role: Role) -> LiveRelease:
    edge = role.bound_to(Edge)
    file = role.path(edge.map_file) if edge.map_file else None
    return LiveRelease(role.path(edge.socket), edge.map, edge.key, file)
