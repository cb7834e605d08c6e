"""A planned switchover: the leader of a Patroni cluster hands over to its standby, as before maintenance.

    {at: 10s, action: database.switchover, on: database.primary, name: switchover}

Unlike a failover nothing has to be noticed first, so what is measured is the price of the hand-over alone.
The undo goes back to the member that led before the run, through a second switchover once the cluster is
whole; with `back: false` the new leader stays.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from seatrial.actions.action import Action
from seatrial.drivers.patroni import (
    PatroniBinding,
    call,
    call_member,
    cluster,
    leader,
    leader_of,
    require_address,
    require_whole,
)
from seatrial.model.problems import BadInput, Unavailable, nearest
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.undo.protocol import Undo
from seatrial.waiting import try_until

_HANDED_OVER_WITHIN_S = 30.0  # Patroni answers once the new leader has the lock, or it has given up
_WHOLE_WITHIN_S = 30.0  # how long the undo waits for the former leader to follow as a standby


class HandedOver(Strict):
    """What undoing a switchover needs."""

    before: str  # who led before the run's first switchover
    to: str


class DatabaseSwitchover(Action):
    """Lets another member lead.

    Nothing happens when it leads already, so a story can make sure of who leads when it begins.
    """

    name: ClassVar[str] = "database.switchover"
    drivers: ClassVar[frozenset[str]] = frozenset({"patroni"})

    to: str | None = Field(default=None, examples=["db-2"])
    """Who is to lead; left out, the synchronous standby."""
    back: bool = True
    """Whether the former leader leads again at the end of the run."""

    @property
    def lag_s(self) -> float:
        """A hand-over that was asked for goes on without whoever asked."""
        return 3.0

    def fit(self, role: Role) -> None:
        require_address(role)

    def look(self, role: Role) -> Undo:
        found = cluster(role)
        before = leader_of(role, found).name
        names = [member.name for member in found.members]
        if self.to is not None and self.to not in names:
            raise BadInput(f"with.to: '{self.to}' is no member of {role.name}{nearest(self.to, names)}")
        able = [
            member.name
            for member in found.members
            if member.works and (member.synchronous if self.to is None else member.name == self.to)
        ]
        if not able:
            raise Unavailable(
                f"{role.name}: there is no healthy {self.to or 'synchronous standby'} ({found})"
            )
        return self.noting(
            role,
            HandedOver(before=before, to=able[0]),
            touches=f"{role.name}: leader {before} → {able[0]}",
            by_hand=f"patronictl switchover --leader {able[0]} --candidate {before}",
        )

    def inject(self, undo: Undo) -> None:
        role, to = undo.role, undo.noted(HandedOver).to
        leads = leader(role).name
        if leads != to:
            _hand_over(role, leads, to)

    def undo(self, undo: Undo) -> None:
        role, noted = undo.role, undo.noted(HandedOver)
        try_until(lambda: leader(role), _HANDED_OVER_WITHIN_S)
        leads = leader(role).name
        if not self.back or leads == noted.before or leads != noted.to:
            return  # never handed over, gone back already, or led by somebody whom we did not choose
        try_until(lambda: require_whole(role), _WHOLE_WITHIN_S)
        _hand_over(role, noted.to, noted.before)

    def gone(self, undo: Undo) -> bool:
        """Whether whom we chose leads no more; with `back: false` that is as it should be."""
        noted, leads = undo.noted(HandedOver), leader(undo.role).name
        return not self.back or leads == noted.before or leads != noted.to

    def healthy(self, role: Role) -> bool:
        require_whole(role)
        return True


def _hand_over(role: Role, leader_now: str, to: str) -> None:
    """Return once `to` takes writes. Raises Unavailable with Patroni's reason."""
    request = {"leader": leader_now, "candidate": to}
    call(role, "POST", "/switchover", request, within_s=_HANDED_OVER_WITHIN_S)
    binding = role.bound_to(PatroniBinding)
    member = binding.members.get(to)
    if member is not None and (url := member.url):
        try_until(lambda: call_member(role, url, "GET", "/primary"), _HANDED_OVER_WITHIN_S)
