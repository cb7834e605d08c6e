"""Faults and actions by the names that experiments call them; see `discovery` for how they are found.

Every parameter that an experiment gives is validated here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from seatrial import discovery
from seatrial.discovery import Registry
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Problem, explained_by, nearest
from seatrial.model.role import Role
from seatrial.undo import calling
from seatrial.undo.protocol import ANY, Declared, Fault, Kind, Undo

FAULTS: Registry[Declared] = Registry("fault", "seatrial.faults", Declared)
ACTIONS: Registry[Declared] = Registry("action", "seatrial.actions", Declared)
_BY_KIND: Mapping[Kind, Registry[Declared]] = {"fault": FAULTS, "action": ACTIONS}


def names() -> list[str]:
    """Every declared name, sorted."""
    return sorted({*FAULTS.names(), *ACTIONS.names()})


def require_kind(name: str, kind: Kind) -> None:
    """Raise BadInput unless there is something of that name and kind, and tell if it is of the other kind."""
    if _BY_KIND[kind].get(name):
        return
    other: Kind = "action" if kind == "fault" else "fault"
    if _BY_KIND[other].get(name):
        a = {"fault": "a fault", "action": "an action"}
        raise BadInput(Problem(f"{name} is {a[other]}, not {a[kind]}; write {other}: {name}", word=name))
    raise BadInput(Problem(f"unknown {kind} '{name}'{nearest(name, _BY_KIND[kind].names())}", word=kind))


def find(name: str, kind: Kind | None = None) -> type[Declared]:
    """The class that is declared as `name`. Raises BadInput, with the nearest name, when there is none.

    A name can be that of a fault and of an action; without `kind` the fault is meant.
    """
    return _registry_of(name, kind).find(name)


def load(name: str) -> None:
    """Have whatever is declared as `name` ready, so that nothing need be read from a disk later on."""
    for registry in _BY_KIND.values():
        registry.get(name)


def _registry_of(name: str, kind: Kind | None) -> Registry[Declared]:
    if kind is not None:
        return _BY_KIND[kind]
    return ACTIONS if ACTIONS.get(name) and not FAULTS.get(name) else FAULTS


def rebuild(undo: Undo) -> Fault:
    """What `undo` is the undo of. Raises BadInput."""
    return build(undo.fault, undo.with_, undo.kind)


def build(name: str, parameters: Mapping[str, Any], kind: Kind | None = None) -> Fault:
    """The fault or action `name` with its parameters.

    Raises BadInput with one Problem for each bad parameter; its path begins with `with`.
    """
    try:
        return cast("Fault", discovery.build(_registry_of(name, kind), name, parameters))
    except BadInput as error:
        within = [problem.under(("with",)) if problem.path else problem for problem in error.problems]
        raise BadInput(within) from error


def bind(fault: Fault, role: Role) -> None:
    """Raise BadInput unless `fault` can act through the driver that `role` is bound to.

    The problem's path is `on`.
    """
    if fault.drivers != ANY and role.driver not in fault.drivers:
        able = " or ".join(sorted(fault.drivers))
        told = Mistake.OTHER_DRIVER(fault=fault.name, able=able, role=role.name, driver=role.driver)
        raise BadInput(Problem(told, path=("on",), word=fault.name))


def fit(fault: Fault, role: Role) -> None:
    """Raise BadInput for what `fault` would miss in the binding of `role`; see `Fitting` for the paths."""
    with explained_by(fault.name):
        calling.fit(fault, role)
