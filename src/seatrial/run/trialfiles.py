"""The files that a trial needs where others start it: which they are, and where they lie there.

What the experiment and the target name, and what scenarios import, is found here as a run would find it. All
of it keeps its place below the working directory, so names mean there what they mean here. What a scenario
opens while it runs is seen by nobody, and has to be said.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.files import find, find_directory, missing, read, shipped
from seatrial.model.document import build
from seatrial.model.experiment import Experiment
from seatrial.model.problems import Problem, Problems
from seatrial.model.target import Target
from seatrial.provenance import files_below, programs, running, written_parts

_UNWRITABLE = ',="\\'  # what kubectl takes apart, or a comment cannot say


@dataclass(frozen=True, slots=True)
class TrialFiles:
    """What a trial is made of. Names are those below its directory, with slashes between their parts."""

    experiment: str
    target: str  # "" for the testbed
    scenarios: tuple[str, ...]  # as a worker is given them; () when it gets them from its master
    files: tuple[str, ...] = ()
    run: frozenset[str] = frozenset()  # those of the files that are programs
    size: int = 0  # bytes of all
    in_image: tuple[str, ...] = ()  # by their whole paths


def trial_files(experiment: str, target: str, also: Sequence[str], here: Path) -> TrialFiles:
    """Those of an experiment, below `here`. Raises BadInput with all that is not there, or not below it."""
    return _Finding(here.resolve(), Problems()).all_of(experiment, target, also)


class _Finding:
    def __init__(self, here: Path, problems: Problems) -> None:
        self._here = here
        self._problems = problems
        self._found: dict[str, Path] = {}
        self._in_image: list[str] = []

    def all_of(self, experiment: str, target: str, also: Sequence[str]) -> TrialFiles:
        source = read(experiment, "experiment")
        promised = build(Experiment, source.document)
        name = self._take(experiment, None)
        aim = self._take(target, None) if target else ""
        scenarios = [self._take(each, source.path) for each in promised.load.scenario]
        for each in _named(promised):
            self._take(each, source.path)
        parts = [*written_parts(promised, source.path), *(self._programs(promised, target) if target else ())]
        for part in parts:
            self._take(part.file, source.path)
        for each in also:
            self._take_all(each)
        self._problems.tell()
        return TrialFiles(
            name,
            aim,
            tuple(scenarios) if all(each in self._found or _whole(each) for each in scenarios) else (),
            tuple(self._found),
            frozenset(each for each, path in self._found.items() if os.access(path, os.X_OK)),
            sum(path.stat().st_size for path in self._found.values()),
            tuple(dict.fromkeys(self._in_image)),
        )

    def _programs(self, promised: Experiment, target: str) -> Iterator[Any]:
        source = read(target, "target")
        return programs(_running(promised, build(Target, source.document)), source.path.parent)

    def _take_all(self, named: str) -> None:
        """A file, or every file below a directory."""
        directory = find_directory(named)
        if directory is None:
            self._take(named, None)
            return
        for path in files_below(directory):
            self._take(str(path), None, said=named)

    def _take(self, named: str, by: Path | None, said: str = "") -> str:
        """What the file that is `named` so is called there."""
        path = find(named, by)
        if path is not None and path.is_relative_to(self._here):
            place = path.relative_to(self._here).as_posix()
            if not place.isprintable() or set(place) & set(_UNWRITABLE):
                self._refuse(f"{place!r}: its name has a character that kubectl takes apart; rename it")
            self._found[place] = path
            return place
        if _whole(named) and not said:
            self._in_image.append(named)
        elif path is None:
            self._refuse(f"{named}: {missing(named, by)}")
        elif not path.is_relative_to(shipped()):  # which the image has, with seatrial
            self._refuse(
                f"{said or named}: lies outside of {self._here}, whose files are brought; start from a "
                "directory that holds all of the trial, or put it into the image, and name its whole path"
            )
        return named

    def _refuse(self, told: str) -> None:
        self._problems.add(Problem(told))


def _whole(named: str) -> bool:
    return Path(named).is_absolute()


def _named(promised: Experiment) -> Iterator[str]:
    """Files that an experiment names, besides its scenarios."""
    load = promised.load
    if load.data is not None:
        yield load.data.file
    if load.replay is not None:
        yield load.replay.log
    if promised.objectives.openslo is not None:
        yield promised.objectives.openslo


def _running(promised: Experiment, target: Target) -> Iterable[Any]:
    """Where programs may be written."""
    yield from running(promised)
    yield from (binding.parameters for binding in target.roles.values())
