"""Where files are looked for, and how a person would name them: one rule for every command, file and daemon.

A path that a person or a file names is tried from the working directory, then from the directory of the file
that names it, then among the files that ship with the product.
"""

from __future__ import annotations

from pathlib import Path

import seatrial

_PACKAGE = Path(seatrial.__file__).parent


def shipped() -> Path:
    """The directory that holds the shipped `chaos`, `loadtests` and `schedules`."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parents[1]  # an editable install: the checkout


def find(named: str, named_by: Path | None = None) -> Path | None:
    """The file that `named` means, or None when there is none."""
    return next((found.resolve() for found in candidates(named, named_by) if found.is_file()), None)


def candidates(named: str, named_by: Path | None = None) -> list[Path]:
    """Every path that `named` may mean, in the order in which they are tried."""
    places = [Path.cwd(), *([named_by.parent] if named_by else []), shipped()]
    return [place / Path(named).expanduser() for place in places]


def as_named(path: Path) -> str:
    """The shortest name that `find` takes for `path` from the working directory."""
    for place in (Path.cwd(), shipped()):
        if path.is_relative_to(place):
            named = str(path.relative_to(place))
            if find(named) == path:
                return named
    return str(path)
