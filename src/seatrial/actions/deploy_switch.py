"""Blue-green: send the traffic to the other release.

{at: 8s, action: deploy.switch, on: edge, with: {to: green}, name: switch}
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from seatrial.actions.action import Action
from seatrial.actions.haproxy import LiveRelease
from seatrial.drivers.haproxy import HaproxyBinding
from seatrial.model.problems import BadInput, Problem, nearest
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.undo.protocol import Undo


class Switched(Strict):
    """What undoing a switch needs."""

    before: str  # the release that was live before the run's first switch
    to: str


class DeploySwitch(Action):
    """Makes another release live."""

    name: ClassVar[str] = "deploy.switch"
    drivers: ClassVar[frozenset[str]] = frozenset({"haproxy"})

    to: str | None = Field(default=None, examples=["green"])
    """The release that gets the traffic; left out, of two the other one."""

    def fit(self, role: Role) -> None:
        edge = role.bound_to(HaproxyBinding)
        if not edge.map:
            raise BadInput(role.problem(("map",), f"is missing, and {self.name} needs it"))
        if self.to is None and len(edge.backends) != 2:
            told = f"say to which of {', '.join(edge.backends)}: to: …"
            raise BadInput(Problem(told, path=("with",)))
        if self.to is not None and self.to not in edge.backends:
            told = f"'{self.to}' is no backend of {role.name}{nearest(self.to, edge.backends)}"
            raise BadInput(Problem(told, path=("with", "to")))

    def look(self, role: Role) -> Undo:
        edge = role.bound_to(HaproxyBinding)
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
        return _live_release(role).read() in role.bound_to(HaproxyBinding).backends


def _live_release(role: Role) -> LiveRelease:
    edge = role.bound_to(HaproxyBinding)
    file = role.path(edge.map_file) if edge.map_file else None
    return LiveRelease(role.path(edge.socket), edge.map, edge.key, file)
