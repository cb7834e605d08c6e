"""Which files a run is made of, and their hashes, so that a change of any of them can be told afterwards.

    scenario     what the load does
    module       what a scenario imports from beside it, or from the working directory
    data, log    rows that are fed to arrivals, and a log whose arrivals are offered again
    migration    each file of a directory of migrations
    program      what steps, probes, checks and roles run, unless it is a program of the system's
    target       the file of the target

The experiment is kept whole beside them. Not seen are what a scenario opens while it runs, what is installed
(its version is in the plan), and what a program calls in its turn. Of a file only its name and its hash leave
this room: it may be full of secrets.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from seatrial.disk import file_digest
from seatrial.files import as_named, find, find_directory
from seatrial.imports import imported
from seatrial.model.experiment import Experiment

_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A file that a run is made of. `file`: a name that `files.find` takes, asked by the experiment."""

    kind: str
    file: str
    sha256: str


def written_parts(experiment: Experiment, file: Path) -> Iterator[Part]:
    """Those that the experiment in `file` names, and what they import; what is not there is left out."""
    load = experiment.load
    for named in load.scenario:
        yield from _named("scenario", named, file)
        yield from _modules(named, file)
    if load.data is not None:
        yield from _named("data", load.data.file, file)
    if load.replay is not None:
        yield from _named("log", load.replay.log, file)
    for step in experiment.timeline:
        yield from _migrations(step.with_.get("migrations"), file)


def running(experiment: Experiment) -> Iterator[Any]:
    """Where an experiment may write `programs`: in steps, probes and checks."""
    yield from (step.with_ for step in experiment.timeline)
    yield from (question.with_ for question in experiment.steady_state)
    yield from (guard.probe.with_ for guard in experiment.guards if guard.probe)
    yield from (check.with_ for check in experiment.checks)


def files_below(directory: Path) -> Iterator[Path]:
    """Every file of a directory, in order, but what Python keeps there."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def programs(written: Iterable[Any], directory: Path) -> Iterator[Part]:
    """Files that are run by what is `written`, where programs are lists of words, or words in one line.

    `directory`: where they are run. A program that is found on PATH is the system's, and what counts is the
    file that it is given first: `[python3, deploy.py, green]`.
    """
    found = (path.resolve() for value in written for path in _run_by(value, directory))
    for path in dict.fromkeys(found):
        yield Part("program", as_named(path), file_digest(path))


def standing_now(parts: Sequence[Part], file: Path, experiment: Experiment) -> dict[str, str]:
    """The hashes of these files as they are now, and of those that the experiment in `file` would add."""
    again = ((part.file, path) for part in parts if (path := find(part.file, file)))
    now = {name: file_digest(path) for name, path in again}
    return now | {part.file: part.sha256 for part in written_parts(experiment, file)}


def changes(parts: Sequence[Part], now: Mapping[str, str]) -> str:
    """What is not as it was, by its name; empty when all is. `now`: as `standing_now` tells it."""
    told = [_change(part, now.get(part.file)) for part in parts]
    known = {part.file for part in parts}
    told += [f"{name} was not there then" for name in now if name not in known]
    found = list(filter(None, told))
    more = len(found) - _MOST_TOLD
    return "; ".join([*found[:_MOST_TOLD], *([f"and {more} more"] if more > 0 else [])])


def _change(part: Part, now: str | None) -> str:
    if now is None:
        return f"{part.file} is no longer there"
    return "" if now == part.sha256 else f"{part.file} was changed since"


def _named(kind: str, named: str, by: Path) -> Iterator[Part]:
    if path := find(named, by):
        yield Part(kind, named, file_digest(path))


def _modules(named: str, by: Path) -> Iterator[Part]:
    """What a scenario imports, called as the scenario is where it lies beside it."""
    scenario = find(named, by)
    if scenario is None:
        return
    for module in imported(scenario, Path.cwd()):
        beside = ""
        if module.is_relative_to(scenario.parent):
            beside = (PurePath(named).parent / module.relative_to(scenario.parent)).as_posix()
        name = beside if beside and find(beside, by) == module else as_named(module)
        yield Part("module", name, file_digest(module))


def _migrations(named: Any, by: Path) -> Iterator[Part]:
    directory = find_directory(named) if isinstance(named, str) else None
    if directory is None:
        return
    for path in files_below(directory):
        name = PurePath(named, path.relative_to(directory)).as_posix()
        yield Part("migration", name if find(name, by) == path else as_named(path), file_digest(path))


def _run_by(value: Any, directory: Path) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _run_by(each, directory)
    elif isinstance(value, str):
        yield from _of_words(_words(value), directory)
    elif isinstance(value, (list, tuple)):
        if value and all(isinstance(each, str) for each in value):
            yield from _of_words(value, directory)
        else:
            for each in value:
                yield from _run_by(each, directory)


def _of_words(words: Sequence[str], directory: Path) -> Iterator[Path]:
    """The program, or the first file that one of the system's is given; then scripts among the rest."""
    if not words:
        return
    program, *rest = words
    if own := _file(program, directory, runs=True):
        yield own
    elif shutil.which(program) is None:
        return
    elif first := next((path for each in rest if (path := _file(each, directory))), None):
        yield first
    for word in rest:
        if script := _file(word, directory, runs=True):
            yield script
        elif len(inner := _words(word)) > 1:
            yield from _of_words(inner, directory)


def _file(word: str, directory: Path, *, runs: bool = False) -> Path | None:
    """The file that a word names, unless it is the system's. `runs`: only one that can be executed."""
    if "/" not in word and runs:
        return None  # it is looked for on PATH
    path = directory / word
    try:
        there = path.is_file() and (not runs or os.access(path, os.X_OK))
    except (OSError, ValueError):
        return None
    return path if there and str(path.parent) not in os.get_exec_path() else None


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation without an end
        return []
