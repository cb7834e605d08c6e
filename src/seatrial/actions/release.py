"""A release that is stopped and started, by whatever its driver does that with: see `drivers.services`."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from seatrial.actions.action import Action
from seatrial.drivers.launch import end_tagged
from seatrial.drivers.services import SERVICES, service_of
from seatrial.model.role import Role
from seatrial.model.strict import Strict
from seatrial.undo.protocol import ANY, Ability, Undo

_LAG_S = 11.0  # an engine gives a container 10 s to end


class Running(Strict):
    """What undoing a stop or a start needs."""

    before: bool  # whether the release was running before the run's first action on it


class ReleaseAction(Action):
    """What stopping and starting share: knowing whether the release ran before, and going back to that."""

    drivers: ClassVar[frozenset[str]] = ANY
    ability: ClassVar[Ability | None] = SERVICES
    on: ClassVar[bool]  # whether the release runs afterwards

    @property
    def lag_s(self) -> float:
        """What a service manager or an engine was asked for goes on without whoever asked."""
        return _LAG_S

    def fit(self, role: Role) -> None:
        service_of(role)

    def look(self, role: Role) -> Undo:
        service = service_of(role)
        running = service.runs()
        touches = f"{role.name}: {self.name} ({'running' if running else 'stopped'} now)"
        return self.noting(role, Running(before=running), touches=touches, by_hand=service.by_hand(running))

    def inject(self, undo: Undo) -> None:
        service_of(undo.role).switch(self.on, undo.token)

    def cut_short(self, undo: Undo) -> None:
        end_tagged(undo.token, Path(undo.role.directory))

    def undo(self, undo: Undo) -> None:
        service, before = service_of(undo.role), undo.noted(Running).before
        if service.runs() != before:
            service.switch(before, f"{undo.token}-undo")

    def gone(self, undo: Undo) -> bool:
        """Whether it runs just if it ran before."""
        return service_of(undo.role).runs() == undo.noted(Running).before

    def healthy(self, role: Role) -> None:
        """Nobody can tell without that: a release that is switched off on purpose is as it should be."""
