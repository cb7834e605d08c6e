"""A schedule with everything that it names found and read: what daemons and listings work with."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from seatrial.incidents.policy import Escalation
from seatrial.model.document import Document, build, parse
from seatrial.model.document import Path as KeyPath
from seatrial.model.problems import BadInput, Problem, SeatrialError
from seatrial.schedule.cadence import Planned, jitter, planned
from seatrial.schedule.ics import read_calendar
from seatrial.schedule.model import Schedule, Window
from seatrial.schedule.windows import Allowance, Span, WeeklySpan, dated
from seatrial.store import Occurrence

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
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
        return Escalation(escalate.after, escalate.unacknowledged)

    def planned(self, after: datetime) -> Iterator[Planned]:
        """Its planned instants after `after`."""
        return planned(self.schedule.cadence, self.schedule.timezone, after)

    def occurrence(self, instant: datetime) -> Occurrence:
        """The occurrence of a planned instant, due after its jitter."""
        due = instant + jitter(self.name, instant, self.schedule.jitter.seconds)
        return Occurrence(self.name, instant, due, self.target_name)


def load_plan(file: Path) -> Plan:
    """Read a schedule and what it names. Raises BadInput with every problem and its place."""
    document = parse(_text(file), str(file))
    schedule = build(Schedule, document)
    problems: list[Problem] = []
    subject = "suite" if schedule.suite is not None else "experiment"
    runs = _find(schedule.runs, file)
    if runs is None:
        problems.append(document.problem((subject,), f"there is no file {schedule.runs}"))
    target_file = _find(schedule.target, file)
    target_name = ""
    if target_file is None:
        problems.append(document.problem(("target",), f"there is no file {schedule.target}"))
    else:
        target_name = _target_name(target_file)
    allowance = Allowance(
        schedule.timezone,
        only=_spans(schedule.windows.only, schedule, document, ("windows", "only"), problems),
        never=_spans(schedule.windows.never, schedule, document, ("windows", "never"), problems),
    )
    if problems or runs is None or target_file is None:
        raise BadInput(problems)
    return Plan(schedule, file, runs, target_file, target_name, allowance)


def load_plans(files: Sequence[Path]) -> list[Plan]:
    """Read several schedules, whose names must differ. Raises BadInput."""
    plans = [load_plan(file) for file in files]
    first: dict[str, Path] = {}
    for plan in plans:
        if plan.name in first:
            raise BadInput(f"{plan.file}: the schedule {plan.name} is in {first[plan.name]} too; rename one")
        first[plan.name] = plan.file
    return plans


@dataclass(slots=True)
class ScheduleFiles:
    """Schedules as their files say now. A file that is edited badly leaves the schedules as they were."""

    files: Sequence[Path]
    _seen: tuple[tuple[int, int], ...] = ()
    _plans: list[Plan] = field(default_factory=list)

    def current(self) -> list[Plan]:
        """The schedules. Raises BadInput if they could not be read the first time."""
        stamps = self._stamps()
        if stamps == self._seen:
            return self._plans
        try:
            self._plans = load_plans(self.files)
        except SeatrialError as error:
            if not self._plans:
                raise
            _log.error("schedules were changed and are not usable; the former ones stay:\n%s", error)
        self._seen = stamps
        return self._plans

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        """Time of change and size of every file that the plans were read from."""
        calendars = [
            found
            for plan in self._plans
            for window in (*plan.schedule.windows.only, *plan.schedule.windows.never)
            if window.ics is not None and (found := _find(window.ics, plan.file)) is not None
        ]
        stamps = []
        for file in (*self.files, *calendars):
            try:
                status = file.stat()
            except OSError:
                stamps.append((0, 0))  # gone: that is a change, and reading it says what is wrong
            else:
                stamps.append((status.st_mtime_ns, status.st_size))
        return tuple(stamps)


def _find(name: str, named_in: Path) -> Path | None:
    """A path is tried from the working directory, then from the file that names it."""
    candidates = (Path(name).expanduser(), named_in.parent / name)
    return next((path for path in candidates if path.is_file()), None)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read: {error}") from error


def _target_name(file: Path) -> str:
    document = parse(_text(file), str(file))
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
    calendar = _find(window.ics or "", Path(named_in))
    if calendar is None:
        raise FileNotFoundError(f"there is no file {window.ics}")
    return [read_calendar(_text(calendar), str(calendar), schedule.timezone)]
