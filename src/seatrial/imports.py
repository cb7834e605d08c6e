"""The files that a Python program imports from beside it, found as Python finds them, with none being run."""

from __future__ import annotations

from collections.abc import Iterator
from modulefinder import ModuleFinder
from pathlib import Path


def imported(program: Path, here: Path) -> Iterator[Path]:
    """The modules that are found beside `program`, or in the directory `here`; what is installed is left out.

    A program that is no Python imports nothing: that is told where it is looked at.
    """
    finder = ModuleFinder([str(program.parent), str(here)])
    try:
        finder.run_script(str(program))
    except (SyntaxError, ValueError, RecursionError):
        return
    for module in finder.modules.values():
        file = getattr(module, "__file__", None)
        if file and (path := Path(file).resolve()) != program:
            yield path
