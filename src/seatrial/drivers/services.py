"""What is started and stopped as a whole: what `release.start` and `release.stop` ask of a driver.

    release.blue: {driver: command, start: […], stop: […], ready: http://…}    ┐
    release.blue: {driver: container, container: shop-blue}                    ├─► SERVICES ─► release.stop …

A driver that can has a binding with the method `service(role)`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from seatrial.drivers.ability import Ability
from seatrial.model.role import Role


class Service(Protocol):
    """One role's. Methods raise Unavailable when the system does not answer, or refuses."""

    def runs(self) -> bool:
        """Whether it serves now."""

    def switch(self, on: bool, token: str) -> None:
        """Start or stop it, as whatever does it is tagged with `token`. Harmless when that is so already."""

    def by_hand(self, on: bool) -> str:
        """The command with which a person does the same."""


@runtime_checkable
class HasService(Protocol):
    """A binding of something that can be started and stopped."""

    def service(self, role: Role) -> Service:
        """That of `role`, which is bound so. Asks nobody. Raises BadInput for what the binding lacks."""


SERVICES: Ability[HasService] = Ability(HasService, "is not started and stopped as a whole")


def service_of(role: Role) -> Service:
    """The service of `role`. Raises BadInput when its driver has none, or its binding lacks something."""
    return SERVICES.of(role).service(role)
