"""How the files that a run is made of are read. Where they are looked for is said in `seatrial.files`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seatrial.files import find, shipped
from seatrial.model.document import Document, parse
from seatrial.model.problems import BadInput, Location, Problem

__all__ = ["Source", "find", "read", "shipped"]


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
