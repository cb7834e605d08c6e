"""Finds a fault by the name that experiments call it: `process.kill` is declared in `process_kill.py`.

The name leads to the file, so a guardian loads the few modules that it needs and no others, and adding a
fault is adding a file. Every parameter that an experiment gives is validated here and nowhere else.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from seatrial.model.document import problems_of
from seatrial.model.problems import BadInput, Problem, nearest
from seatrial.model.role import Role
from seatrial.undo import calling
from seatrial.undo.protocol import ANY, Declared, Fault, Kind

SPIKE = "traffic.spike"  # a fault that changes the arrivals and touches no target: see `run.spike`
HOMES = ("seatrial.faults", "seatrial.actions")  # packages in which files declare faults and actions
_NAME = re.compile(r"[a-z][a-z0-9]*(?:\.[a-z][a-z0-9_]*)?")


def names() -> list[str]:
    """Every declared name, sorted."""
    return sorted(declared.name for declared in _all())


def kinds() -> dict[str, Kind]:
    """Whether each name that a timeline may use is one of a fault or of an action."""
    return {SPIKE: "fault", **{declared.name: declared.kind for declared in _all()}}


def _all() -> list[type[Declared]]:
    found = []
    for home in HOMES:
        if importlib.util.find_spec(home) is None:
            continue
        package = importlib.import_module(home)
        for module in pkgutil.iter_modules(package.__path__):
            declared = _declared_in(f"{home}.{module.name}")
            found += [declared] if declared else []
    return found


def require_kind(name: str, kind: Kind) -> None:
    """Raise BadInput unless there is something of that name and kind, and tell if it is of the other kind."""
    if name == SPIKE:
        other: Kind | None = "fault"
    else:
        declared = _named(name)
        other = declared.kind if declared else None
    if other is None:
        alike = [known for known, its in kinds().items() if its == kind]
        raise BadInput(f"unknown {kind} '{name}'{nearest(name, alike)}")
    if other != kind:
        a = {"fault": "a fault", "action": "an action"}
        raise BadInput(f"{name} is {a[other]}, not {a[kind]}; write {other}: {name}")


@functools.cache
def find(name: str) -> type[Declared]:
    """The class that is declared as `name`. Raises BadInput, with the nearest name, when there is none."""
    declared = _named(name)
    if declared is None:
        raise BadInput(f"unknown fault '{name}'{nearest(name, names())}")
    return declared


def _named(name: str) -> type[Declared] | None:
    if _NAME.fullmatch(name):
        for home in HOMES:
            declared = _declared_in(f"{home}.{name.replace('.', '_', 1)}")
            if declared is not None and declared.name == name:
                return declared
    return None


def _declared_in(module_name: str) -> type[Declared] | None:
    try:
        if importlib.util.find_spec(module_name) is None:
            return None
    except ModuleNotFoundError:  # the home itself is not there
        return None
    module = importlib.import_module(module_name)
    for value in vars(module).values():
        ours = isinstance(value, type) and issubclass(value, Declared) and value.__module__ == module_name
        if ours and "name" in vars(value):  # without one it is what several share
            return cast("type[Declared]", value)
    return None


def build(name: str, parameters: Mapping[str, Any]) -> Fault:
    """The fault `name` with its parameters.

    Raises BadInput with one Problem for each bad parameter; its path begins with `with`.
    """
    declared = find(name)
    try:
        return cast("Fault", declared.model_validate(dict(parameters)))
    except ValidationError as error:
        found = problems_of(error, declared, "parameter")
        raise BadInput([problem.under(("with",)) for problem in found]) from error


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
