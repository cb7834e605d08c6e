"""A scenario, looked at before a run without being run: it is there, can be read, and is Python."""

from __future__ import annotations

import functools
import os
import warnings
from pathlib import Path

from seatrial.files import Source, find, missing
from seatrial.model.problems import BadInput, Location, Problem, Problems
from seatrial.run.draft import Draft

_LARGEST_FILE = 4_000_000
_PLACE = ("load", "scenario")


def bind_scenarios(draft: Draft, experiment: Source, problems: Problems) -> list[Path]:
    """The files of the scenario that are there; why one is not, or is no Python, goes to `problems`."""
    found: list[Path] = []
    names = draft.load.scenario if draft.load else ()
    for index, named in enumerate(names):
        place = (*_PLACE, index) if len(names) > 1 else _PLACE
        problem = functools.partial(experiment.document.problem, place)
        path = find(named, experiment.path)
        if path is None:
            problems.add(problem(missing(named, experiment.path)))
            continue
        found.append(path)
        try:
            require_scenario(path)
        except BadInput as error:
            # a mistake in it stands in the scenario itself
            problems.add(*(each if each.location else problem(each.message) for each in error.problems))
    return found


def require_scenario(path: Path) -> None:
    """Raise BadInput unless `path` is a Python program. Nothing of it is executed.

    A mistake in it is told with its line and column; that it is no program at all concerns whoever names it.
    """
    shown = _shown(path)
    if path.suffix != ".py":
        raise BadInput(f"{shown} is no locustfile: its name does not end with .py")
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadInput(f"{shown} is larger than {_LARGEST_FILE:,} bytes; that is no scenario")
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of doubtful style: whoever runs the scenario is told
            compile(text, shown, "exec", dont_inherit=True)
    except SyntaxError as error:
        known = error.lineno is not None and error.lineno > 0  # not of an encoding that nobody knows
        place = Location(shown, error.lineno, error.offset) if known else Location(shown)
        raise BadInput(Problem(f"not valid Python: {error.msg}", place)) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise BadInput(Problem(f"not valid Python: {error}", Location(shown))) from error


def _shown(path: Path) -> str:
    """From the working directory if it is below it, as a person would call it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
