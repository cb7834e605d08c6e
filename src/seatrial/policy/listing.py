"""Which files are judged: those that are named, and below directories all that a reader knows by name.

Below a directory of a git work tree these are the files that are tracked and those that could be, submodules
included, so that what `.gitignore` names (dependencies, build output, virtual environments) is not judged;
`ignored` asks for it. A file that is named itself is always judged. Files that are gone are not there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from seatrial.model.problems import BadInput
from seatrial.policy.git import Repository
from seatrial.policy.readers import reader_of


def inputs(paths: Sequence[str], *, ignored: bool = False, leaving_out: str = "") -> list[str]:
    """The files, as a person would name them from here, in order. Raises BadInput, Unavailable.

    leaving_out: a regular expression; what it is found in is left out.
    """
    try:
        pattern = re.compile(leaving_out) if leaving_out else None
    except re.error as error:
        raise BadInput(f"--ignore {leaving_out}: no regular expression: {error}") from error
    found = {os.path.normpath(file) for named in paths for file in _below(named, ignored=ignored)}
    kept = sorted(file for file in found if pattern is None or not pattern.search(file))
    if not kept:
        raise BadInput(f"no file that can be judged in {', '.join(paths)}")
    return kept


def _below(named: str, *, ignored: bool) -> Iterator[str]:
    if os.path.isdir(named):
        yield from _in_directory(named, ignored=ignored)
    elif not os.path.exists(named):
        raise BadInput(f"{named}: no such file or directory")
    elif not reader_of(named):
        raise BadInput(
            f"{named}: no reader for a file of this name (YAML, JSON, TOML, HCL, Dockerfile, requirements)"
        )
    elif not os.path.isfile(named):
        raise BadInput(f"{named}: is no regular file")
    else:
        yield named


def _in_directory(directory: str, *, ignored: bool) -> Iterator[str]:
    repository = Repository.around(Path(directory))
    names = _tracked(repository, directory, ignored) if repository else _walked(directory)
    for name in names:
        if reader_of(name) and os.path.isfile(name):
            yield name


def _tracked(repository: Repository, directory: str, ignored: bool) -> Iterator[str]:
    for name in repository.files(Path(directory), ignored=ignored):
        path = os.path.join(directory, name)
        if not reader_of(name) and os.path.isdir(path) and not os.path.islink(path):
            yield from _in_directory(path, ignored=ignored)  # a submodule, or a repository inside
        else:
            yield path


def _walked(directory: str) -> Iterator[str]:
    for place, directories, files in os.walk(directory):
        directories[:] = [each for each in directories if each != ".git"]
        yield from (os.path.join(place, file) for file in files)
