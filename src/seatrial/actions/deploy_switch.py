"""Blue-green: send the traffic to the other release, whatever sends it: see `drivers.releases`.

    {at: 8s, action: deploy.switch, on: edge, with: {to: green}, name: switch}

The next request goes there; what is under way is finished where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from seatrial.actions.action import Action
from seatrial.drivers.releases import RELEASES, releases_of
from seatrial.model.problems import BadInput, Problem, Unavailable, Unreachable, nearest
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.undo.protocol import ANY, Ability, Undo


class Switched(Strict):
    """What undoing a switch needs."""

    before: str  # the release that was live before the run's first switch
    to: str
    seen: str = ""  # the one that was live when this switch looked: an earlier one of the run has set it


class DeploySwitch(Action):
    """Makes another release live."""

    name: ClassVar[str] = "deploy.switch"
    drivers: ClassVar[frozenset[str]] = ANY
    ability: ClassVar[Ability | None] = RELEASES

    to: str | None = Field(default=None, examples=["green"])
    """The release that gets the traffic; left out, of two the other one."""

    def fit(self, role: Role) -> None:
        names = releases_of(role).names
        if self.to is None and len(names) != 2:
            raise BadInput(Problem(f"say to which of {', '.join(names)}: to: …", path=("with",)))
        if self.to is not None and self.to not in names:
            told = f"'{self.to}' is no release of {role.name}{nearest(self.to, names)}"
            raise BadInput(Problem(told, path=("with", "to")))

    def look(self, role: Role) -> Undo:
        releases = releases_of(role)
        before = releases.live()
        to = self.to or _the_other(before, releases.names)
        if to not in releases.names:
            raise BadInput(f"{self.name}: '{to}' is not one of {', '.join(releases.names)}")
        return self.noting(
            role,
            Switched(before=before, to=to, seen=before),
            touches=f"{role.name}: live release {before} → {to}",
            by_hand=releases.by_hand(before),
        )

    def inject(self, undo: Undo) -> None:
        releases_of(undo.role).make_live(undo.noted(Switched).to)

    def undo(self, undo: Undo) -> None:
        """Put back what was live, unless what is live now was set by somebody else."""
        releases, noted = releases_of(undo.role), undo.noted(Switched)
        before = noted.before
        try:
            live = releases.live()
        except Unavailable:  # half-way between two, perhaps; if nobody is there, making it live says so
            live = ""
        if live and live not in {before, noted.to, noted.seen}:
            raise Unreachable(f"{undo.role.name}: {live} is live now, which this run has not deployed")
        if live != before:
            releases.make_live(before)

    def gone(self, undo: Undo) -> bool:
        return releases_of(undo.role).live() == undo.noted(Switched).before

    def healthy(self, role: Role) -> bool:
        """Whether the traffic goes to a release at all; to which, `gone` knows."""
        releases = releases_of(role)
        return releases.live() in releases.names


def _the_other(before: str, names: Sequence[str]) -> str:
    others = [release for release in names if release != before]
    if len(others) != 1:
        raise BadInput(f"{before} is live, and there are {', '.join(names)}; say which with `to:`")
    return others[0]
