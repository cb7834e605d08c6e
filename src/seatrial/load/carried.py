"""The files that a scenario needs on another machine: itself, and what it imports from beside it.

A worker elsewhere has the packages that are installed there, and none of the files here. What Python would
find beside the scenario or in the working directory is found as Python finds it, without running anything,
and is carried along. Files that a scenario opens while it runs are its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seatrial.imports import imported
from seatrial.model.problems import BadInput

_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Carried:
    """Files by their names under the directory that Python is told of, and which of them are scenarios."""

    scenarios: tuple[str, ...]
    files: Mapping[str, bytes]


def carried(scenarios: Sequence[Path], here: Path) -> Carried:
    """What these scenarios need; `here` is the working directory. Raises BadInput for what is too much.

    Below `here` files keep their places, so that modules are imported there by the names that they have here.
    Scenarios from elsewhere come into directories of their own.
    """
    names: dict[Path, str] = {}
    for number, scenario in enumerate(scenarios):
        for path in (scenario.resolve(), *imported(scenario.resolve(), here)):
            names.setdefault(path, _name(path, scenario.resolve().parent, here, number))
    try:
        files = {name: path.read_bytes() for path, name in names.items()}
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot be read: {error.strerror}") from error
    if (size := sum(map(len, files.values()))) > _MOST_BYTES:
        raise BadInput(
            f"{scenarios[0]} imports {size >> 20} MiB of files from here; install them on the machines of "
            f"the workers as a package: no more than {_MOST_BYTES >> 20} MiB are brought there"
        )
    return Carried(tuple(names[scenario.resolve()] for scenario in scenarios), files)


def _name(path: Path, beside: Path, here: Path, number: int) -> str:
    if path.is_relative_to(here.resolve()):
        return str(PurePosixPath(path.relative_to(here.resolve())))
    return str(PurePosixPath(f"elsewhere-{number}", path.relative_to(beside)))
