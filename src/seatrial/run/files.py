"""Where files are looked for, and how they are read.

A path that a person or a file names is tried from the working directory, then from the directory of the file
that names it, then among the files that ship with the product.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import seatrial
from seatrial.model.document import Document, parse
from seatrial.model.problems import BadInput, Location, Problem

_PACKAGE = Path(seatrial.__file__).parent


def shipped() -> Path:
    """The directory that holds the shipped `chaos`, `loadtests` and `schedules`."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parents[1]  # an editable install: the checkout


def find(named: str, named_by: Path | None = None) -> Path | None:
    """The file that `named` means, or None when there is none."""
    places = [Path(), *([named_by.parent] if named_by else []), shipped()]
    return next((found.resolve() for place in places if (found := place / named).is_file()), None)


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML file: where it stands, and what it says. Relative paths in it start at `path.parent`."""

    path: Path
    document: Document


def read(named: str, what: str, named_by: Path | None = None) -> Source:
    """Find, read and parse a YAML file; `what` it is meant to be is said when that fails. Raises BadInput."""
    path = find(named, named_by)
    if path is None:
        raise BadInput(f"{what} {named}: no such file here ({Path.cwd()}) or among the shipped ones")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(Problem(f"not text in UTF-8: {error.reason}", Location(named))) from error
    except OSError as error:
        raise BadInput(Problem(f"cannot be read: {error.strerror}", Location(named))) from error
    return Source(path, parse(text, named))
