"""What pages show and `/api` gives: one record for each, so that the two cannot tell different things."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """The base of all of them."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Objective(Document):
    """What was promised, and the interval that was measured."""

    name: str
    promised: float
    lower: float | None
    """Null: not measured."""
    upper: float | None
    """Null beside a lower end: the end was never seen."""
    unit: str
    verdict: str
    reason: str
    allowed: str
    """The promise as text."""
    measured: str
    """The interval as text."""
    at_least: bool
    """Whether more is better."""


class RunLine(Document):
    """A run as lists show it."""

    run: str
    target: str
    experiment: str
    title: str
    verdict: str
    interrupted: bool
    started_at: datetime
    length_s: float | None
    offered_per_s: float | None
    version_before: str | None
    version_after: str | None
    covers: list[str]
    objectives: list[Objective]
    noticed: list[str]
    """Of each fault, how soon which alert told of it, beside how soon all was well again."""
    million: str
    """What a million requests cost, as text; empty where the target has no price."""
    evidence: str
    """Where the evidence is, or what became of it."""
    evidence_here: bool


class Runs(Document):
    """A page of runs, newest first."""

    runs: list[RunLine]
    total: int
    page: int
    pages: int
    experiments: list[str]
    targets: list[str]


class File(Document):
    """A file of the evidence as it was when the run was recorded."""

    name: str
    bytes: int
    sha256: str


class Run(Document):
    """All that is on record of a run."""

    line: RunLine
    result: dict[str, Any]
    """As `verdict.json` has it: see the README for its keys."""
    files: list[File]
    revision: str
    """Of the repository that its experiment stands in."""
    seatrial: str
    """The version that ran it."""
    report: bool
    """Whether its report can be opened here."""


class Point(Document):
    """An objective of one run."""

    run: str
    started_at: datetime
    lower: float
    upper: float | None
    """Null: the end was never seen."""
    promised: float
    verdict: str
    text: str


class Course(Document):
    """One objective, run after run, the earliest first."""

    name: str
    unit: str
    at_least: bool
    promised: bool
    """Whether anything was promised of it."""
    points: list[Point]
    trend: Trend | None = None
    """The latest run beside all before it; null where they are too few to tell."""


class Months(Document):
    """An experiment over months."""

    experiment: str
    target: str
    runs: int
    courses: list[Course]
    remarks: list[str]
    """How often a trend is wrong, or why none can be told."""


class Series(Document):
    """An experiment on a target."""

    experiment: str
    target: str
    runs: int
    first: datetime
    last: datetime


class Experiments(Document):
    """Every experiment that was run."""

    experiments: list[Series]


class Compared(Document):
    """One objective in both runs."""

    name: str
    allowed: str
    before: str
    after: str
    change: str
    """Different only when the intervals do not overlap."""


class Moved(Document):
    """What both runs tell beside their promises; empty where one does not."""

    name: str
    before: str
    after: str
    change: str


class Trend(Document):
    """One objective of a run beside all earlier runs like it."""

    name: str
    earlier: str
    """What all earlier ones span."""
    runs: int
    """How many those are."""
    latest: str
    per_month: str
    """How much a month, where a trend is proven; else empty."""
    change: str
    """What can be told: worse, better or can't tell."""
    told: str
    """The same in words, with since when."""


class Beside(Document):
    """A run beside all before it of the same experiment file, target and rate."""

    trends: list[Trend]
    remarks: list[str]
    """What was left out, how often such a comparison is wrong, or why there is none."""


class Comparison(Document):
    """Two runs side by side, and the later one beside all before it."""

    before: RunLine | None
    after: RunLine | None
    differences: list[str]
    """Why a difference need not be one of the target."""
    remarks: list[str]
    objectives: list[Compared]
    unpromised: list[Moved]
    """Times to detect beside times to recover, and costs: nothing fails for them."""
    beside: Beside | None
    """Null: no later run is named."""


class Planned(Document):
    """A planned instant to come."""

    schedule: str
    target: str
    planned_at: datetime
    due_at: datetime
    local: str
    note: str
    blackout: str | None
    """Why it will be skipped; null: it will not."""


class Occurrence(Document):
    """What became of a planned instant."""

    schedule: str
    planned_at: datetime
    target: str
    state: str
    ended_at: datetime | None
    run: str
    verdict: str
    detail: str


class ScheduleLine(Document):
    """A schedule, and how often what became of its occurrences."""

    schedule: str
    runs: str
    """The file of what it runs; empty: no file of this schedule is known here."""
    counts: dict[str, int]


class Schedules(Document):
    """Schedules, what comes next, and a page of what was."""

    schedules: list[ScheduleLine]
    problems: list[str]
    planned: list[Planned]
    occurrences: list[Occurrence]
    total: int
    page: int
    pages: int


class Incident(Document):
    """An incident that is open."""

    severity: str
    target: str
    experiment: str
    opened: datetime
    failures: int
    escalated: bool
    summary: str


class Message(Document):
    """A message of the outbox."""

    number: int
    sink: str
    kind: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    last_error: str


class Incidents(Document):
    """What is open, and what was or waits to be told."""

    open: list[Incident]
    messages: list[Message]
    waiting: int
    failed: int
    off: dict[str, str]
    """Receivers that are off, and what would switch them on."""


class Fault(Document):
    """A fault that is, or may be, in effect."""

    label: str
    fault: str
    role: str
    target: str
    experiment: str
    run: str
    state: str
    error: str


class Figures(Document):
    """The last two seconds of a run. Null: nothing was decided yet."""

    at_s: float
    """From the start of the measured part; warm-up has negative instants."""
    offered_per_s: float
    achieved_per_s: float
    good: int
    bad: int
    recent_bad: float | None
    p95_ms: float | None


class Happening(Document):
    """A line of a run's journal."""

    wall: str
    event: str
    details: str


class Underway(Document):
    """A run that has not come to its end."""

    run: str
    experiment: str
    target: str
    started_at: str
    conducted: bool
    """Whether its conductor lives; if not, `seatrial recover` ends it."""
    keeper: str
    """Why it cannot be stopped from here; empty: it can."""
    figures: Figures | None
    happenings: list[Happening]


class UnderwayRuns(Document):
    """Every run that has not come to its end."""

    runs: list[Underway]


class Row(Document):
    """A requirement, as the overview shows it."""

    id: str
    requirement: str
    verdict: str
    reason: str


class Glance(Document):
    """The readiness matrix at a glance."""

    title: str
    at: datetime
    rows: list[Row]
    counts: dict[str, int]
    blockers: list[str]
    measured: int


class Overview(Document):
    """How things stand."""

    matrix: Glance | None
    matrix_problem: str
    """Why there is no matrix."""
    underway: list[Underway]
    faults: list[Fault]
    planned: list[Planned]
    schedule_problems: list[str]
    failures: list[RunLine]
    runs: int
    incidents: list[Incident]
    unsent: int
    """Messages that wait or have failed."""
