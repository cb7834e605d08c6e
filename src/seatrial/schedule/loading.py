"""A schedule with everything that it names found and read: what daemons and listings work with.

What it runs is planned elsewhere (a schedule knows no fault and no role): a `review` is given that plans it,
says what is wrong and which files it has read, so that they are planned again when one of them changes.
"""

from __future__ import annotations

import logging
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from seatrial.files import as_named, candidates, find, missing, read_text
from seatrial.incidents.policy import Escalation
from seatrial.model.document import Document, build, parse
from seatrial.model.document import Path as KeyPath
from seatrial.model.problems import BadInput, Problem
from seatrial.schedule.cadence import Planned, jitter, planned
from seatrial.schedule.ics import read_calendar
from seatrial.schedule.model import Schedule, Window
from seatrial.schedule.windows import Allowance, Span, WeeklySpan, dated
from seatrial.store import Occurrence

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedSchedule:
    """A schedule, ready: `runs` is the file of its suite or experiment, `target_name` the target's name."""

    schedule: Schedule
    file: Path
    runs: Path
    target_file: Path
    target_name: str
    allowance: Allowance

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.schedule.schedule

    @property
    def escalation(self) -> Escalation:
        """When neglect of its incidents gets louder."""
        escalate = self.schedule.incident.escalate
        return Escalation(escalate.after, escalate.unknown, escalate.unacknowledged)

    @property
    def command(self) -> str:
        """The command that runs by hand what an occurrence runs."""
        what = "suite" if self.schedule.suite is not None else "run"
        words = ["seatrial", what, as_named(self.runs), "--target", as_named(self.target_file)]
        confirm = ["--confirm", self.schedule.confirm] if self.schedule.confirm else []
        return shlex.join([*words, *confirm])

    def planned(self, after: datetime) -> Iterator[Planned]:
        """Its planned instants after `after`."""
        return planned(self.schedule.cadence, self.schedule.timezone, after)

    def occurrence(self, instant: datetime) -> Occurrence:
        """The occurrence of a planned instant, due after its jitter."""
        due = instant + jitter(self.name, instant, self.schedule.jitter.seconds)
        return Occurrence(self.name, instant, due, self.target_name)


def load_schedule(file: Path) -> LoadedSchedule:
    """Read a schedule and what it names. Raises BadInput with every problem and its place."""
    path = find(str(file))
    if path is None:
        raise BadInput(f"{file}: {missing(str(file))}")
    document = parse(read_text(path, str(file)), str(file))
    schedule = build(Schedule, document)
    problems: list[Problem] = []
    subject = "suite" if schedule.suite is not None else "experiment"
    runs = find(schedule.runs, path)
    if runs is None:
        problems.append(document.problem((subject,), f"{schedule.runs}: {missing(schedule.runs, path)}"))
    target_file = find(schedule.target, path)
    target_name = ""
    if target_file is None:
        problems.append(document.problem(("target",), f"{schedule.target}: {missing(schedule.target, path)}"))
    else:
        target_name = _target_name(target_file)
    allowance = Allowance(
        schedule.timezone,
        only=_spans(schedule.windows.only, schedule, document, ("windows", "only"), problems),
        never=_spans(schedule.windows.never, schedule, document, ("windows", "never"), problems),
    )
    if problems or runs is None or target_file is None:
        raise BadInput(problems)
    return LoadedSchedule(schedule, file, runs, target_file, target_name, allowance)


@dataclass(frozen=True, slots=True)
class Review:
    """What came of planning what a schedule names: the files it hangs on, there or not, and problems."""

    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()


def unreviewed(loaded: LoadedSchedule) -> Review:  # noqa: ARG001  # the signature of a review
    """A review that looks at nothing."""
    return Review()


def load_schedules(files: Sequence[Path]) -> list[LoadedSchedule]:
    """Read several schedules, whose names must differ. Raises BadInput with the problems of all."""
    schedules: list[LoadedSchedule] = []
    problems: list[Problem] = []
    for file in files:
        try:
            schedules.append(load_schedule(file))
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    _check_names(schedules)
    return schedules


def _check_names(schedules: Sequence[LoadedSchedule]) -> None:
    first: dict[str, Path] = {}
    for loaded in schedules:
        if loaded.name in first:
            raise BadInput(
                f"{loaded.file}: the schedule {loaded.name} is in {first[loaded.name]} too; rename one"
            )
        first[loaded.name] = loaded.file


Stamps = dict[Path, tuple[int, int]]


@dataclass(slots=True)
class ScheduleFiles:
    """Schedules as their files, and all that those name, say now; for any number of threads.

    A schedule that is edited badly stays as it was, and `problems` says so. Mistakes in the files that a
    schedule names are told there too; of those no former version is kept: a run reads them when it begins.
    """

    files: Sequence[Path]
    review: Callable[[LoadedSchedule], Review] = unreviewed
    _seen: Stamps = field(default_factory=dict)
    _schedules: list[LoadedSchedule] = field(default_factory=list)
    _reviews: dict[str, Review] = field(default_factory=dict)
    _unusable: dict[Path, tuple[Problem, ...]] = field(
        default_factory=dict
    )  # schedules that stay as they were
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def current(self) -> list[LoadedSchedule]:
        """The schedules. Raises BadInput if they could not be read the first time."""
        with self._lock:
            if not self._schedules or self._stamps() != self._seen:
                self._read()
                self._seen = self._stamps()
            return self._schedules

    def problems(self) -> Mapping[str, tuple[Problem, ...]]:
        """What is wrong with the files of the schedules that have something wrong, by their names."""
        with self._lock:
            schedules = self.current()
            found = {
                loaded.name: self._unusable.get(loaded.file, ()) + self._reviews[loaded.name].problems
                for loaded in schedules
            }
        return {name: problems for name, problems in found.items() if problems}

    def _read(self) -> None:
        self._unusable = {}
        former = {loaded.file: loaded for loaded in self._schedules}
        try:
            self._schedules = load_schedules(self.files)
        except BadInput:
            if not former:
                raise
            self._schedules = self._usable(former)
        self._reviews = {loaded.name: self._reviewed(loaded) for loaded in self._schedules}
        for loaded in self._schedules:
            for problem in self._reviews[loaded.name].problems:
                _log.error("%s: what is due cannot run: %s", loaded.name, problem)

    def _reviewed(self, loaded: LoadedSchedule) -> Review:
        """The review of a schedule; a defect in planning is one more problem, and ends no daemon."""
        try:
            return self.review(loaded)
        except Exception as error:
            _log.exception("%s cannot be planned", loaded.name)
            before = self._reviews.get(loaded.name, Review())
            return Review(before.files, (Problem(f"planning it ended with {type(error).__name__}: {error}"),))

    def _usable(self, former: Mapping[Path, LoadedSchedule]) -> list[LoadedSchedule]:
        """Each schedule as its file says, or as it was before."""
        kept = [self._kept(file, former) for file in self.files]
        try:
            _check_names(kept)
        except BadInput as error:
            _log.error("%s; the former schedules stay", error)
            self._unusable = dict.fromkeys(former, error.problems)
            return list(former.values())
        return kept

    def _kept(self, file: Path, former: Mapping[Path, LoadedSchedule]) -> LoadedSchedule:
        """The schedule of a file, or the one that it held before."""
        try:
            return load_schedule(file)
        except BadInput as error:
            _log.error("%s was changed and is not usable; the former schedule stays:\n%s", file, error)
            self._unusable[file] = error.problems
            return former[file]

    def _stamps(self) -> Stamps:
        """Time of change and size of every file that the schedules depend on."""
        named = [
            path
            for loaded in self._schedules
            for window in (*loaded.schedule.windows.only, *loaded.schedule.windows.never)
            if window.ics is not None
            for path in candidates(window.ics, loaded.file)
        ]
        of_schedules = [path for loaded in self._schedules for path in (loaded.runs, loaded.target_file)]
        of_reviews = [path for review in self._reviews.values() for path in review.files]
        return {path: _stamp(path) for path in (*self.files, *named, *of_schedules, *of_reviews)}


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0  # gone: that is a change, and reading it says what is wrong
    return status.st_mtime_ns, status.st_size


def _target_name(file: Path) -> str:
    document = parse(read_text(file, as_named(file)), as_named(file))
    name = document.data.get("target") if isinstance(document.data, dict) else None
    if not isinstance(name, str):
        raise BadInput(document.problem((), "not a target: it has no target: NAME"))
    return name


def _spans(
    windows: Sequence[Window], schedule: Schedule, document: Document, path: KeyPath, problems: list[Problem]
) -> tuple[Span, ...]:  # fmt: skip
    spans: list[Span] = []
    for index, window in enumerate(windows):
        try:
            spans += _of_window(window, schedule, document.file)
        except ValueError as error:
            problems.append(document.problem((*path, index, "dates"), str(error)))
        except BadInput as error:
            problems += error.problems
        except FileNotFoundError as error:
            problems.append(document.problem((*path, index, "ics"), str(error)))
    return tuple(spans)


def _of_window(window: Window, schedule: Schedule, named_in: str) -> Sequence[Span]:
    if window.days is not None:
        return [WeeklySpan(window.days, window.from_, window.to, window.why)]
    if window.dates is not None:
        return [dated(window.dates, schedule.timezone, window.why)]
    calendar = find(window.ics or "", Path(named_in))
    if calendar is None:
        raise FileNotFoundError(f"{window.ics}: {missing(window.ics or '', Path(named_in))}")
    return [read_calendar(read_text(calendar, as_named(calendar)), as_named(calendar), schedule.timezone)]
