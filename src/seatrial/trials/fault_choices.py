"""What exploration may choose from on a target: each fault on each role that allows it, and what is left out.

A fault is asked with which parameters it may be tried on a role (`undo.protocol.Varied`); without an answer
it is tried as it is, if it needs none. What has parameters that only its user knows, a table, a program, is
offered by writing it as a step into the objectives file: its instant is then chosen like that of any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seatrial import drivers
from seatrial.drivers.binding import Supervision
from seatrial.explore import Choice
from seatrial.model.experiment import Step
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.role import Role
from seatrial.model.target import Target
from seatrial.undo import calling, registry
from seatrial.undo.protocol import ANY, ChangingArrivals, Declared, Varied


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What cannot be chosen here, and why."""

    what: str
    why: str


@dataclass(slots=True)
class FaultChoices:
    """All that can be chosen, and what cannot."""

    choices: list[Choice] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    _acts: set[tuple[object, ...]] = field(default_factory=set)  # faults on things, whatever name led there

    def add(self, choice: Choice, acts_on: frozenset[str]) -> None:
        """Take it in, unless it is there, or is there under another name of the same thing."""
        act = (choice.fault, repr(sorted(choice.parameters.items())), acts_on or choice.role)
        if act not in self._acts:
            self._acts.add(act)
            self.choices.append(choice)

    def leave_out(self, what: str, why: object) -> None:
        """Note why something cannot be chosen, once."""
        told = LeftOut(what, " ".join(str(why).split()))
        if told not in self.left_out:
            self.left_out.append(told)


def fault_choices(
    target: Target, directory: Path, offered: Sequence[Step] = (), *, looks: bool
) -> FaultChoices:
    """What a target whose file stands in `directory` allows.

    offered: steps of the objectives file. looks: the target is there, and each fault looks at it.
    """
    found = FaultChoices()
    roles = [Role.of(target, name, directory) for name, each in target.roles.items() if not each.lacking]
    things = _things(roles)
    for fault in sorted(registry.FAULTS.all()):
        declared = registry.FAULTS.find(fault)
        if issubclass(declared, ChangingArrivals):
            for parameters in _variations(declared, _whole(target, directory)):
                found.add(Choice(fault, "", parameters), frozenset())
            continue
        needed = _needed(declared)
        if needed and not issubclass(declared, Varied):
            _want(found, fault, needed, offered)
            continue
        for role in _acted_on(declared, roles):
            _consider(found, declared, role, things, looks=looks)
        _tell_lacking(found, target, declared)
    for step in offered:
        _offer(found, step, target, directory, things, looks=looks)
    return found


def _needed(declared: type[Declared]) -> list[str]:
    """Its parameters that have no default."""
    fields = declared.model_fields.items()
    return [each.alias or name for name, each in fields if each.is_required()]


def _want(found: FaultChoices, fault: str, needed: list[str], offered: Iterable[Step]) -> None:
    if all(step.does != fault for step in offered):
        names = " and ".join(needed)
        told = f"needs {names}, which only you know: offer it as a step of the objectives file's timeline"
        found.leave_out(fault, told)


def _acted_on(declared: type[Declared], roles: Iterable[Role]) -> Iterator[Role]:
    """The roles that it is made for: of their driver, or with the processes that it acts on."""
    for role in roles:
        if declared.drivers != ANY:
            if role.driver in declared.drivers:
                yield role
        elif declared.ability is not None and (_pidfiles(role) or _has(declared, role)):
            yield role


def _has(declared: type[Declared], role: Role) -> bool:
    ability = declared.ability
    return ability is not None and role.driver != "process" and role.driver in ability.drivers()


def _consider(
    found: FaultChoices,
    declared: type[Declared],
    role: Role,
    things: Mapping[str, frozenset[str]],
    *,
    looks: bool,
) -> None:
    what = f"{declared.name} on {role.name}"
    try:
        variations = list(_variations(declared, role))
    except SeatrialError as error:
        found.leave_out(what, error)
        return
    for parameters in variations:
        choice = Choice(declared.name, role.name, parameters, things[role.name])
        if why := _hindrance(choice, role, looks=looks):
            found.leave_out(choice.key, why)
        else:
            found.add(choice, _acts_on(declared, role))


def _offer(
    found: FaultChoices,
    step: Step,
    target: Target,
    directory: Path,
    things: Mapping[str, frozenset[str]],
    *,
    looks: bool,
) -> None:
    """A step that its user has written: as written, but for its instant."""
    if step.on and target.roles[step.on].lacking:
        found.leave_out(f"{step.does} on {step.on}", target.roles[step.on].lacking)
        return
    choice = Choice(step.does, step.on, step.with_, things.get(step.on, frozenset()))
    why = _hindrance(choice, Role.of(target, step.on, directory), looks=looks) if step.on else ""
    if why:
        found.leave_out(choice.key, why)
    else:
        found.add(choice, frozenset())


def _hindrance(choice: Choice, role: Role, *, looks: bool) -> str:
    """Why a fault cannot be done to a role here; "" when nothing is known against it."""
    try:
        fault = registry.build(choice.fault, choice.parameters, "fault")
        registry.bind(fault, role)
        registry.fit(fault, role)
        if missing := calling.lacking(fault) or drivers.lacking(role.driver):
            return f"needs {missing}"
        if looks:
            calling.prepare(fault, role)
    except SeatrialError as error:
        return str(error)
    return ""


def _variations(declared: type[Declared], role: Role) -> Iterable[Mapping[str, Any]]:
    if issubclass(declared, Varied):
        return calling.variations(declared, role)
    return ({},)


def _tell_lacking(found: FaultChoices, target: Target, declared: type[Declared]) -> None:
    """Roles that the target says it has not got here, of the drivers that a fault is made for."""
    for name, binding in target.roles.items():
        if binding.lacking and declared.drivers != ANY and binding.driver in declared.drivers:
            found.leave_out(f"{declared.name} on {name}", binding.lacking)


def _whole(target: Target, directory: Path) -> Role:
    return Role("target", "http", {"url": target.base_url}, target.allow, str(directory))


# what a role is known by


def _things(roles: Sequence[Role]) -> dict[str, frozenset[str]]:
    """For each role its addresses and pidfiles, and the names of all roles that share one of them."""
    own = {role.name: _places(role) for role in roles}
    return {
        name: places | {other for other, theirs in own.items() if other != name and theirs & places}
        for name, places in own.items()
    }


def _places(role: Role) -> frozenset[str]:
    return _pidfiles(role) | _addresses(role)


def _acts_on(declared: type[Declared], role: Role) -> frozenset[str]:
    return _pidfiles(role) if declared.drivers == ANY else _addresses(role) or _pidfiles(role)


def _pidfiles(role: Role) -> frozenset[str]:
    try:
        return frozenset(str(role.path(each)) for each in role.as_written(Supervision).pidfile)
    except BadInput:
        return frozenset()


def _addresses(role: Role) -> frozenset[str]:
    record = drivers.find(role.driver)
    if record is None:
        return frozenset()
    try:
        return frozenset(address for _, address in role.as_written(record).addresses() if address)
    except SeatrialError:
        return frozenset()
