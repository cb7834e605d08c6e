"""Finds a driver by the name that target files call it: `audit-log` is declared in `audit_log.py`."""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

import seatrial.drivers
from seatrial.drivers.binding import Binding, Supervision
from seatrial.model.document import problems_of
from seatrial.model.problems import Path, Problem, nearest
from seatrial.model.target import references, substitute


@functools.cache
def _declared() -> Mapping[str, type[Binding]]:
    found: dict[str, type[Binding]] = {}
    for module in pkgutil.iter_modules(seatrial.drivers.__path__):
        for value in vars(importlib.import_module(f"seatrial.drivers.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Binding) and "driver" in vars(value):
                found[value.driver] = value
    return found


def names() -> list[str]:
    """Every declared name, sorted."""
    return sorted(_declared())


def find(driver: str) -> type[Binding] | None:
    """The record of a binding to `driver`; None for one that nobody here has declared.

    Such a role can still be acted on by whatever needs no driver: programs of one's own, the Chaos Toolkit,
    signals to the processes of its pidfile.
    """
    return _declared().get(driver)


def lacking(driver: str) -> str:
    """What is not installed that such a role is reached by, and how to get it; empty when nothing."""
    record = find(driver)
    return record.extra.lacking() if record and record.extra else ""


def problems_in(driver: str, written: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with a binding: unknown keys, and values of the wrong type (references filled in).

    Paths count from the binding. What refers to a variable that is not set is not typed: nobody knows it yet.
    """
    close = nearest(driver, names())
    record = find(driver)
    if record is None and "did you mean" in close:
        return [Problem(f"unknown driver '{driver}'{close}", path=("driver",))]
    unset = references(dict(written)) - os.environ.keys()
    known = {**os.environ, **{name: f"${{{name}}}" for name in unset}}
    filled_in = substitute(dict(written), known)
    try:
        if record is None:
            Supervision.model_validate(filled_in)
        else:
            record.model_validate(filled_in, extra="forbid")
    except ValidationError as error:
        found = problems_of(error, record or Supervision)
        return [
            _without_secrets(problem, value)
            for problem in found
            if not references(value := _at(problem.path, written)) & unset
        ]
    return []


def _at(path: Path, written: Any) -> Any:
    """The value that was written at `path`, or the nearest around it that a normal form was made of."""
    for part in path:
        try:
            written = written[part]
        except (KeyError, IndexError, TypeError):
            break
    return written if isinstance(written, str) else None


def _without_secrets(problem: Problem, value: Any) -> Problem:
    """What a reference stands for may be a secret, so it is not quoted."""
    if not references(value):
        return problem
    _, expected, what = problem.message.rpartition("' is not ")
    return replace(
        problem, message=f"what '{value}' stands for {f'is not {what}' if expected else 'does not fit'}"
    )
