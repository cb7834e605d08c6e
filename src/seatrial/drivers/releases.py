"""Which release gets the traffic: what `deploy.switch` and `deploy.rollback` ask of a driver, and no more.

    edge: {driver: haproxy, socket: run/haproxy.sock, map: active.map, backends: [blue, green]}
    edge: {driver: nginx, active: conf/active.conf, releases: {blue: conf/blue.conf, green: conf/green.conf}}
    edge: {driver: deploy-command, live: [./live], switch: [./deploy, "{release}"], releases: [blue, green]}

A driver that can answer has a binding with the method `as_releases(role)`. What is there is looked at anew
each time; nothing is remembered, because another process may have to put it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from seatrial.drivers.ability import Ability
from seatrial.model.role import Role

PLACEHOLDER = "{release}"  # in commands, addresses and bodies that a target file writes


class Releases(Protocol):
    """The releases of one role. Methods raise Unavailable when the system does not answer, or refuses."""

    names: Sequence[str]  # those that the target file knows; at least two

    def live(self) -> str:
        """The one that gets the traffic now; one of `names`, or what the system calls it."""

    def make_live(self, release: str) -> None:
        """Send the traffic to it, and return once that is so. Harmless when it is so already."""

    def by_hand(self, release: str) -> str:
        """The command with which a person does the same."""


@runtime_checkable
class HasReleases(Protocol):
    """A binding whose driver can tell and change which release is live."""

    def as_releases(self, role: Role) -> Releases:
        """Those of `role`, which is bound so. Raises BadInput for what the binding lacks for it."""


RELEASES: Ability[HasReleases] = Ability(HasReleases, "knows no releases")


def releases_of(role: Role) -> Releases:
    """The releases of `role`. Raises BadInput when its driver knows of none, or its binding lacks some."""
    return RELEASES.of(role).as_releases(role)


def filled_in(written: Any, release: str) -> Any:
    """`written` with PLACEHOLDER replaced in every text of it."""
    if isinstance(written, str):
        return written.replace(PLACEHOLDER, release)
    if isinstance(written, dict):
        return {key: filled_in(value, release) for key, value in written.items()}
    if isinstance(written, (list, tuple)):
        return [filled_in(value, release) for value in written]
    return written
