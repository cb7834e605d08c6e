"""The files that a Python program imports from beside it, found as Python finds them, with none being run."""

from __future__ import annotations

from collections.abc import Iterator
from modulefinder import ModuleFinder
from pathlib import Path


def imported(program: Path, here: Path) -> Iterator[Path]:
    """The files of `modules`."""
    yield from modules(program, here).values()


def modules(program: Path, here: Path) -> dict[str, Path]:
    """By their names, those found beside `program` or in the directory `here`; what is installed is left out.

    A program that is no Python imports nothing: that is told where it is looked at.
    """
    finder = ModuleFinder([str(program.parent), str(here)])
    try:
        finder.run_script(str(program))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return {}
    files = ((name, getattr(module, "__file__", None)) for name, module in finder.modules.items())
    found = {name: Path(file).resolve() for name, file in files if file}
    return {name: path for name, path in found.items() if path != program}
