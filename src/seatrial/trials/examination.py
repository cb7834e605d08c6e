"""What is asked for, looked at as a whole before anything is touched.

Options, experiment, suite and target have their mistakes in different files and words; whoever has made three
wants to read of three, and not to start three times.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seatrial import disk
from seatrial.files import Source, read
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput, Problem, Problems
from seatrial.run.plan import problems_of_plan, problems_of_target
from seatrial.run.suiteplan import problems_of_suite
from seatrial.trials.request import TrialRequest, What
from seatrial.trials.targets import allowed_target, planned_target

# What is wrong with it on a target, or where there is none.
_EXAMINERS: dict[What, Callable[[Source, Source | None, str], list[Problem]]] = {
    "experiment": problems_of_plan,
    "suite": problems_of_suite,
}


def examined(request: TrialRequest, problems: Problems | None = None) -> Source:
    """The file of what is to be run. Raises BadInput with all that is wrong, `problems` among it."""
    problems = Problems() if problems is None else problems
    with problems.collected():
        _require_empty(request.evidence)
    with problems.collected():
        _require_file("--metrics-textfile", request.metrics)
    source = _examined(request, lambda: allowed_target(request.target, request.no_testbed), problems)
    problems.tell()
    assert source is not None  # or there would have been a problem
    return source


def problems_of(request: TrialRequest) -> list[Problem]:
    """All that would keep a trial from being run some day; nothing is started.

    The testbed, when it is meant and not up, is taken as it would be.
    """
    problems = Problems()
    _examined(request, lambda: planned_target(request.target), problems)
    return list(problems)


def _examined(request: TrialRequest, find_target: Callable[[], Source], problems: Problems) -> Source | None:
    """The file of what is to be run, if it is one; what is wrong with it or its target goes to `problems`."""
    source: Source | None = None
    system: Source | None = None
    with problems.collected():
        source = read(request.file, request.what)
    with problems.collected():
        system = find_target()
    if source is not None:
        problems.add(*_EXAMINERS[request.what](source, system, request.confirm))
    elif system is not None:
        problems.add(*problems_of_target(system, request.confirm))
    return source


def _require_empty(out: Path | None) -> None:
    """Raise BadInput when the evidence cannot go to `out`, or under `runs/`: a file is there, or too much.

    Raises CannotStore when the machine does not even let us look.
    """
    place, named = (out or Path("runs")).absolute(), f"--out {out}" if out else "runs/"
    try:
        there = next(path for path in (place, *place.parents) if path.exists())
        if not there.is_dir():
            raise BadInput(f"{named}: {there} is a file, and evidence goes into a directory")
        if out is not None and there == place and any(there.iterdir()):
            raise BadInput(Mistake.NOT_EMPTY(named=named))
    except OSError as error:
        if error.errno in disk.TROUBLES:
            raise disk.cannot_store("the evidence", place, error) from error
        raise BadInput(f"{named}: cannot be used: {error.strerror}") from error


def _require_file(option: str, path: Path | None) -> None:
    """Raise BadInput when a file could not be written at `path`."""
    if path is None:
        return
    try:
        directory, parent = path.is_dir(), path.absolute().parent
        if directory or not parent.is_dir():
            what = "is a directory; name the file" if directory else f"there is no directory {parent}"
            raise BadInput(f"{option} {path}: {what}")
    except OSError as error:
        raise BadInput(f"{option} {path}: {error.strerror}") from error
