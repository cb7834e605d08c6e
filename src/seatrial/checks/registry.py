"""Finds a check by its declared name: `served-by` is the one in `served_by.py`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

import seatrial.checks
from seatrial.checks.protocol import Check, DeclaredCheck
from seatrial.model.problems import BadInput, Problem, nearest


@functools.cache
def _declared() -> Mapping[str, type[DeclaredCheck]]:
    found: dict[str, type[DeclaredCheck]] = {}
    for module in pkgutil.iter_modules(seatrial.checks.__path__):
        for value in vars(importlib.import_module(f"seatrial.checks.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, DeclaredCheck) and "name" in vars(value):
                found[value.name] = value
    return found


def names() -> list[str]:
    """Every declared name, sorted."""
    return sorted(_declared())


def build(name: str, parameters: Mapping[str, Any]) -> Check:
    """The check `name` with its parameters.

    Raises BadInput; the `path` of each problem is the parameter's name, or empty for the check's own.
    """
    declared = _declared().get(name)
    if declared is None:
        raise BadInput(f"unknown check '{name}'{nearest(name, names())}")
    try:
        return cast("Check", declared.model_validate(dict(parameters)))
    except ValidationError as error:
        raise BadInput([_problem(name, declared, dict(detail)) for detail in error.errors()]) from error


def _problem(name: str, declared: type[DeclaredCheck], detail: dict[str, Any]) -> Problem:
    parameter = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        return Problem(
            f"{name} has no parameter '{parameter}'{nearest(parameter, declared.model_fields)}",
            path=parameter,
        )
    return Problem(f"{name}: {detail['msg']}", path=parameter)
