"""Where files are looked for, and how they are read: one answer for every command, suite and schedule.

A path that a person or a file names is tried from the working directory, then from the directory of the file
that names it, then among the files that ship with the product.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import seatrial
from seatrial.model.document import Document, parse
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Location, Problem

_PACKAGE = Path(seatrial.__file__).parent
# Each begins with a key that says what it is.
_KINDS = {
    "experiment": "an experiment",
    "suite": "a suite",
    "target": "a target",
    "schedule": "a schedule",
    "readiness": "a readiness file",
    "machines": "a file of machines",
}
_LARGEST_FILE = 4_000_000  # bytes; what is larger is read only to be refused


def shipped() -> Path:
    """The directory that holds the shipped `chaos`, `loadtests` and `schedules`."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parents[1]  # an editable install: the checkout


def find(named: str, named_by: Path | None = None) -> Path | None:
    """The file that `named` means, or None when there is none."""
    return next((place.resolve() for place in _places(named, named_by) if _is(place.is_file)), None)


def find_directory(named: str, named_by: Path | None = None) -> Path | None:
    """The directory that `named` means, or None when there is none."""
    return next((place.resolve() for place in _places(named, named_by) if _is(place.is_dir)), None)


def candidates(named: str, named_by: Path | None = None) -> list[Path]:
    """Every path that `named` may mean, there or not, in the order in which they are tried."""
    return [Path.cwd() / place for place in _places(named, named_by)]


def as_named(path: Path) -> str:
    """The shortest name that `find` takes for `path` from the working directory."""
    for place in (Path.cwd(), shipped()):
        if path.is_relative_to(place):
            named = str(path.relative_to(place))
            if find(named) == path:
                return named
    return str(path)


def missing(named: str, named_by: Path | None = None) -> str:
    """Why `find` gives none: what is there instead, or that nothing is."""
    places = list(_places(named, named_by))
    if any(_is(place.is_dir) for place in places):
        return "is a directory, not a file"
    if any(_is(place.exists) for place in places):
        return "is not a file that can be read twice"  # a pipe, a socket, a device
    return f"{Mistake.NO_FILE(place=Path.cwd())}{_nearest(named, places)}"


def _nearest(named: str, places: list[Path]) -> str:
    """What is called almost so, where it would be."""
    for place in places:
        with contextlib.suppress(OSError, ValueError):  # no such directory, or nothing that we may read
            beside = [each.name for each in place.parent.iterdir() if each.name != place.name]
            for close in difflib.get_close_matches(place.name, beside, n=1, cutoff=0.8):
                return f"; did you mean '{_expanded(named).with_name(close)}'?"
    return ""


def _places(named: str, named_by: Path | None) -> Iterator[Path]:
    if not named:
        return
    path = _expanded(named)
    for start in (Path(), *([named_by.parent] if named_by else []), shipped()):
        yield start / path


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError:  # ~nobody: somebody who has no home here
        return Path(named)


def _is(question: Callable[[], bool]) -> bool:
    """Whether a question to the file system is answered with yes; a path that it cannot take is no file."""
    try:
        return question()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML file: where it stands, and what it says. Relative paths in it start at `path.parent`."""

    path: Path
    document: Document


def read(named: str, what: str, named_by: Path | None = None) -> Source:
    """Find, read and parse a YAML file; `what` it is meant to be is said when that fails. Raises BadInput."""
    path = find(named, named_by)
    if path is None:
        raise BadInput(f"{what} {named}: {missing(named, named_by)}")
    if path.suffix == ".py" and what in _KINDS:
        article = _KINDS[what]
        raise BadInput(
            f"{named}: is a scenario, and {article} is expected here; for one that drives it: "
            f"seatrial init --host http://… --locustfile {named}"
        )
    document = parse(read_text(path, named), named)
    _require_kind(document, what)
    return Source(path, document)


def _require_kind(document: Document, what: str) -> None:
    """Raise BadInput for a file that is plainly of another kind; its every key would be told as unknown."""
    keys = document.data.keys() if isinstance(document.data, dict) else ()
    other = next((kind for kind in _KINDS if kind in keys), what)
    if what in _KINDS and what not in keys and other != what:
        message = f"this is {_KINDS[other]}, and {_KINDS[what]} is expected here"
        raise BadInput(document.problem((other,), message, key=True))


def read_text(path: Path, named: str) -> str:
    """The text of a file of ours; problems with it call it as the user did, `named`. Raises BadInput."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadInput(
                Problem(f"larger than {_LARGEST_FILE:,} bytes; that is no file of ours", Location(named))
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(Problem(f"not text in UTF-8: {error.reason}", Location(named))) from error
    except OSError as error:
        raise BadInput(Problem(f"cannot be read: {error.strerror}", Location(named))) from error
