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

from pydantic import BaseModel, ValidationError

from seatrial.faults.protocol import ANY, Declared, Fault, Role, problems_of
from seatrial.model.problems import BadInput, Problem, nearest

HOMES = ("seatrial.faults", "seatrial.actions")  # packages in which files declare faults and actions
_NAME = re.compile(r"[a-z][a-z0-9]*(?:\.[a-z][a-z0-9_]*)?")


def names() -> list[str]:
    """Every declared name, sorted."""
    found = []
    for home in HOMES:
        if importlib.util.find_spec(home) is None:
            continue
        package = importlib.import_module(home)
        for module in pkgutil.iter_modules(package.__path__):
            declared = _declared_in(f"{home}.{module.name}")
            found += [declared.name] if declared else []
    return sorted(found)


@functools.cache
def find(name: str) -> type[Declared]:
    """The class that is declared as `name`. Raises BadInput, with the nearest name, when there is none."""
    if _NAME.fullmatch(name):
        for home in HOMES:
            declared = _declared_in(f"{home}.{name.replace('.', '_', 1)}")
            if declared is not None and declared.name == name:
                return declared
    raise BadInput(f"unknown fault '{name}'{nearest(name, names())}")


def _declared_in(module_name: str) -> type[Declared] | None:
    try:
        if importlib.util.find_spec(module_name) is None:
            return None
    except ModuleNotFoundError:  # the home itself is not there
        return None
    module = importlib.import_module(module_name)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Declared) and value.__module__ == module_name:
            return value if "name" in vars(value) else None
    return None


def build(name: str, parameters: Mapping[str, Any], where: str = "with") -> Fault:
    """The fault `name` with its parameters.

    Raises BadInput with one Problem for each bad parameter; its `path` begins with `where`, so that whoever
    knows the file can add line and column.
    """
    declared = find(name)
    try:
        return cast("Fault", declared.model_validate(dict(parameters)))
    except ValidationError as error:
        raise BadInput(problems_of(error, where, _keys(declared))) from error


def bind(fault: Fault, role: Role, where: str = "on") -> None:
    """Raise BadInput unless `role` is bound to a driver that `fault` can act through."""
    if fault.drivers != ANY and role.driver not in fault.drivers:
        able = " or ".join(sorted(fault.drivers))
        raise BadInput(
            Problem(
                f"{fault.name} acts on {able}; the role '{role.name}' is bound to {role.driver}", path=where
            )
        )


def _keys(record: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in record.model_fields.items()]
