"""Drivers by the names that target files call them: `audit-log` is declared in `audit_log.py`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from seatrial.discovery import CannotLoad, Registry
from seatrial.drivers.binding import Binding, Supervision
from seatrial.model.document import problems_of
from seatrial.model.problems import Path, Problem, nearest
from seatrial.model.references import references, substitute

DRIVERS: Registry[Binding] = Registry("driver", "seatrial.drivers", Binding, key="driver")


def find(driver: str) -> type[Binding] | None:
    """The record of a binding to `driver`; None for one that nobody has declared.

    Such a role can still be acted on by whatever needs no driver: programs of one's own, the Chaos Toolkit,
    signals to the processes of its pidfile.
    """
    return DRIVERS.get(driver)


def modules_of(drivers: Iterable[str]) -> list[str]:
    """The modules that declare them, for whoever loads beforehand what reaching such roles takes."""
    return sorted({record.__module__ for driver in drivers if (record := find(driver)) is not None})


def lacking(driver: str) -> str:
    """What is not installed that such a role is reached by, and how to get it; empty when nothing."""
    record = find(driver)
    return record.extra.lacking() if record and record.extra else ""


def problems_in(driver: str, written: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with a binding: unknown keys, and values of the wrong type (references filled in).

    Paths count from the binding. What refers to a variable that is not set is not typed: nobody knows it yet.
    """
    try:
        record = find(driver)
    except CannotLoad as error:
        return [problem.under(("driver",)) for problem in error.problems]
    if record is None and "did you mean" in (close := nearest(driver, DRIVERS.names())):
        return [Problem(f"unknown driver '{driver}'{close}", path=("driver",), word="driver")]
    unset = references(dict(written)) - os.environ.keys()
    known = {**os.environ, **{name: f"${{{name}}}" for name in unset}}
    filled_in = substitute(dict(written), known)
    try:
        if record is None:
            Supervision.model_validate(filled_in)
        else:
            record.model_validate(filled_in, extra="forbid", by_name=False)
    except ValidationError as error:
        found = problems_of(error, record or Supervision)
        return [
            _without_secrets(problem.about(driver if record else "driver"), value)
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
