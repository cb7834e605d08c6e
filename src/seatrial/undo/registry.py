"""Faults and actions by the names that experiments call them; see `discovery` for how they are found.

Every parameter that an experiment gives is validated here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from seatrial import discovery
from seatrial.discovery import Registry
from seatrial.model.problems import BadInput, Problem, nearest
from seatrial.model.role import Role
from seatrial.undo import calling
from seatrial.undo.protocol import ANY, Declared, Fault, Kind

SPIKE = "traffic.spike"  # a fault that changes the arrivals and touches no target: see `run.spike`
FAULTS: Registry[Declared] = Registry("fault", "seatrial.faults", Declared)
ACTIONS: Registry[Declared] = Registry("action", "seatrial.actions", Declared)
_BY_KIND: Mapping[Kind, Registry[Declared]] = {"fault": FAULTS, "action": ACTIONS}


def names() -> list[str]:
    """Every declared name, sorted."""
    return sorted({*FAULTS.names(), *ACTIONS.names()})


def kinds() -> dict[str, Kind]:
    """Whether each name that a timeline may use is one of a fault or of an action."""
    known: dict[str, Kind] = {SPIKE: "fault"}
    for kind, registry in _BY_KIND.items():
        known |= dict.fromkeys(registry.names(), kind)
    return known


def require_kind(name: str, kind: Kind) -> None:
    """Raise BadInput unless there is something of that name and kind, and tell if it is of the other kind."""
    if (name == SPIKE and kind == "fault") or _BY_KIND[kind].get(name):
        return
    other: Kind = "action" if kind == "fault" else "fault"
    if name == SPIKE or _BY_KIND[other].get(name):
        a = {"fault": "a fault", "action": "an action"}
        raise BadInput(f"{name} is {a[other]}, not {a[kind]}; write {other}: {name}")
    alike = [known for known, its in kinds().items() if its == kind]
    raise BadInput(f"unknown {kind} '{name}'{nearest(name, alike)}")


def find(name: str) -> type[Declared]:
    """The class that is declared as `name`. Raises BadInput, with the nearest name, when there is none."""
    return _registry_of(name).find(name)


def _registry_of(name: str) -> Registry[Declared]:
    return ACTIONS if ACTIONS.get(name) else FAULTS


def build(name: str, parameters: Mapping[str, Any]) -> Fault:
    """The fault or action `name` with its parameters.

    Raises BadInput with one Problem for each bad parameter; its path begins with `with`.
    """
    try:
        return cast("Fault", discovery.build(_registry_of(name), name, parameters))
    except BadInput as error:
        within = [problem.under(("with",)) if problem.path else problem for problem in error.problems]
        raise BadInput(within) from error


def bind(fault: Fault, role: Role) -> None:
    """Raise BadInput unless `fault` can act through the driver that `role` is bound to.

    The problem's path is `on`.
    """
    if fault.drivers != ANY and role.driver not in fault.drivers:
        able = " or ".join(sorted(fault.drivers))
        told = f"{fault.name} acts on {able}; the role '{role.name}' is bound to {role.driver}"
        raise BadInput(Problem(told, path=("on",)))


def fit(fault: Fault, role: Role) -> None:
    """Raise BadInput for what `fault` would miss in the binding of `role`; see `Fitting` for the paths."""
    calling.fit(fault, role)
