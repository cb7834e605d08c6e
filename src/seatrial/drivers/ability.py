"""What an ability is: a protocol of one method on a driver's binding, by which those who act or ask find it.

    deploy.switch ── needs ─► RELEASES ◄─ have ── haproxy, nginx, kubernetes, deploy-command, …
                                 └── explain, the plan's refusals and `acted on by` are read from here

Whoever needs an ability names it and no driver; a driver has it by having the method. A driver of somebody
else's package is found like ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from seatrial.drivers.binding import Binding
from seatrial.drivers.registry import DRIVERS, find
from seatrial.model.problems import BadInput, Problem
from seatrial.model.role import Role

Able = TypeVar("Able")


@dataclass(frozen=True, slots=True)
class Ability(Generic[Able]):
    """One ability of drivers.

    `protocol`: what a binding has that has it, runtime-checkable and of methods only; `lacking`: what is said
    of a driver without; `otherwise`: the roles of any other driver that will do as well, for people.
    """

    protocol: type[Any]  # of Able: a protocol is no type[Able]
    lacking: str
    otherwise: str = ""

    def drivers(self) -> list[str]:
        """The drivers that have it, sorted. All are loaded for that."""
        usable = DRIVERS.all()
        return sorted(name for name in usable if issubclass(usable[name].declared, self.protocol))

    def find(self, role: Role) -> Able | None:
        """The binding of `role`, None when its driver has no such ability. Raises BadInput for a bad one."""
        record = self._record(role)
        return cast("Able", role.bound_to(record)) if record else None

    def as_written(self, role: Role) -> Able | None:
        """The same, with references in place: for whoever does not need yet what their variables hold."""
        record = self._record(role)
        return cast("Able", role.as_written(record)) if record else None

    def _record(self, role: Role) -> type[Binding] | None:
        record = find(role.driver)
        return record if record is not None and issubclass(record, self.protocol) else None

    def of(self, role: Role) -> Able:
        """The same. Raises BadInput, with the drivers that would do, when its driver has none."""
        binding = self.find(role)
        if binding is None:
            told = f"'{role.name}' is bound to {role.driver}, which {self.lacking}; these drivers do: "
            raise BadInput(Problem(told + ", ".join(self.drivers()), path=("on",)))
        return binding
