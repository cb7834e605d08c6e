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
from seatrial.model.document import problems_of
from seatrial.model.problems import BadInput, nearest


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

    Raises BadInput; the path of each problem counts from the parameters, and is empty for the name itself.
    """
    declared = _declared().get(name)
    if declared is None:
        raise BadInput(f"unknown check '{name}'{nearest(name, names())}")
    try:
        return cast("Check", declared.model_validate(dict(parameters)))
    except ValidationError as error:
        raise BadInput(problems_of(error, declared, "parameter")) from error
