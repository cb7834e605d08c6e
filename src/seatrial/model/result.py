"""What was measured and what came of it: the records behind `verdict.json` and every report.

All instants are seconds on the request log's clock; all lengths are seconds unless a name says `_ms`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from seatrial.model.bounds import Bounds
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.generatoraudit import GeneratorAudit
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.noticing import Detection, LagSeries, Noticed
from seatrial.model.percentiles import percentile
from seatrial.model.pricing import RunCost
from seatrial.model.scenarioaccount import ScenarioAccount
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.model.version import TargetVersion

if TYPE_CHECKING:  # results are read without a request log, and its arrays take long to load
    from seatrial.model.requestlog import Floats

__all__ = [
    "Availability", "Bounds", "CheckResult", "ErrorBudget", "Failover", "GeneratorAudit", "Latency",
    "Measurement", "ObjectiveResult", "Outage", "Phase", "RunResult", "Silence", "StepRecord",
    "Witnesses", "plain",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The requests that an outage's bounds were read from: rows of its log, by due instant.

    They stand around the run of bad ones that perceived bounds are the widest for. None: the log begins or
    ends within that run.
    """

    last_good: int | None  # the good one before it
    first_bad: int
    last_bad: int
    first_good: int | None  # the good one after it
    silent_since_s: float | None = None  # where the longest silence is the wider bound: since when it lasted


@dataclass(frozen=True, slots=True)
class Outage:
    """One episode: bad runs closer together than the settle time, with the bounds of the longest of them."""

    name: str  # the step after which it began, or "" for none
    start_s: float  # intended instant of its first bad request
    end_s: float  # intended instant of its last bad request
    perceived: Bounds
    server: Bounds
    bad: int  # bad arrivals in the episode
    runs: int  # maximal runs of bad arrivals in the episode
    equivalent_s: float  # bad arrivals over the offered rate
    witnesses: Witnesses | None = None  # None: recorded by an older version


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without any answer, in a log that does not have the requests which failed.

    Either nobody asked, or nobody was answered: the log cannot tell. So an outage lasted here from 0 seconds
    to `upper_s`.
    """

    start_s: float  # when the last good answer before it ended
    end_s: float  # when the first one after it ended
    upper_s: float  # the longest outage for which it leaves room
    expected: float  # requests that would have come at the rate around it, at the least


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of `ended - intended`, in milliseconds; what was never answered counts as its deadline.

    Failures that came fast are errors, not latencies: a refused connection must not improve the median. A
    percentile is None where the answers are too few to carry it (`seatrial.model.percentiles`); the largest
    latency is always a figure.
    """

    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float
    answers: int | None = None  # how many latencies these are of; None: written by an older version
    # Figures from here on are lower bounds: some requests were never answered, and waited so long at least.
    at_least_from_ms: float | None = None
    off_by_ms: float = 0.0  # each figure may truly be so much less, or more: the log's lengths are inexact

    @classmethod
    def of(cls, ascending_ms: Floats, at_least_from_ms: float | None, off_by_ms: float = 0.0) -> Latency:
        """Of at least one latency, in ascending order."""
        return cls(
            p50_ms=percentile(ascending_ms, 50),
            p90_ms=percentile(ascending_ms, 90),
            p95_ms=percentile(ascending_ms, 95),
            p99_ms=percentile(ascending_ms, 99),
            max_ms=float(ascending_ms[-1]),
            answers=len(ascending_ms),
            at_least_from_ms=at_least_from_ms,
            off_by_ms=off_by_ms,
        )


@dataclass(frozen=True, slots=True)
class Availability:
    """Share of time that a request name (or, named "", everybody) found the service up: windowed user-uptime.

    Over everything and in the worst window of a length (Hauer et al., *Meaningful Availability*, NSDI 2020).
    """

    name: str
    good: float
    worst_window_s: float  # length of the window
    worst: float  # share of good in the worst such window
    worst_start_s: float


@dataclass(frozen=True, slots=True)
class TenantMeasured:
    """What one tenant saw of the service, by the requests in its name alone.

    `downtime` is what an objective on downtime would judge. Its upper bound is never less than the time
    between two of the tenant's own requests: of a quiet tenant little is known.
    """

    tenant: str
    requests: int
    bad: int
    downtime: Bounds
    uptime: tuple[Availability, ...]  # windowed user-uptime, a record for each length of window


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that `measure` reads out of a request log."""

    start_s: float
    end_s: float
    deadline_s: float
    settle_s: float
    requests: int
    bad: int
    outages: tuple[Outage, ...]
    degraded_s: float  # sum over degraded spans
    completion_gap: Bounds  # lower: longest time between ok completions p, q; upper: sent_p … ended_q
    equivalent_outage_s: float
    latency: Latency | None
    generator: GeneratorAudit
    availability: tuple[Availability, ...]
    served_by: tuple[tuple[str, int], ...]
    errors: tuple[tuple[str, int], ...]  # reason, count; most frequent first
    unproven: int = 0  # of the bad ones, those that are the generator's own failure
    silences: tuple[Silence, ...] = ()  # in logs that do not have all failures
    exact: Exactness = EXACT  # how exact the instants of the log are
    tenants: tuple[TenantMeasured, ...] = ()  # the worst first; of logs that tell in whose name requests came

    @property
    def length_s(self) -> float:
        """How long was measured: not at all when the run ended in its warm-up."""
        return max(0.0, self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """An objective, what was measured of it, and its verdict. None: could not be measured."""

    name: str  # "downtime after rollback", "latency p95" …
    target: float
    lower: float | None
    upper: float | None
    unit: str  # "s", "ms", "ratio", "per_s"
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step as it happened. Instants are on the request log's clock; None: did not happen."""

    name: str
    kind: str  # "fault" or "action"
    does: str  # process.kill, deploy.switch …
    role: str
    planned_s: float
    before_s: float | None = None  # just before the effect was asked for
    injected_s: float | None = None  # just after the effect had been confirmed
    undone_s: float | None = None
    verified: bool | None = None
    error: str = ""
    unwell: str = ""  # why its role was not well at the end of the measured part, before anything was undone
    observed_s: float | None = None  # when the effect was first seen from outside; None: nobody saw it
    undo: UndoOutcome | None = None  # None: told by the other fields alone, as older runs do
    by_hand: str = ""  # the command that undoes it, for a person

    @property
    def undo_outcome(self) -> UndoOutcome:
        """How its undo came out, also of a run that was recorded before `undo` was."""
        if self.undo is not None:
            return self.undo
        if self.injected_s is None:
            return UndoOutcome.NOT_INJECTED
        if self.verified is False:
            return UndoOutcome.NOT_WELL
        if self.undone_s is None and self.kind == "fault":  # those runs told it of faults alone
            return UndoOutcome.IN_EFFECT
        return UndoOutcome.VERIFIED if self.verified else UndoOutcome.UNVERIFIED

    @property
    def left_behind(self) -> bool:
        """Whether its effect is still there, or may be: what pages, fails a run and wants a person."""
        return self.undo_outcome.left_behind


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a failover. It ends with what `source` logged; None: no log says when."""

    name: str  # "detect", "decide", "promote" or "route"
    begin_s: float | None  # where the phase before it ends; a later phase can end before that
    end_s: float | None
    source: str = ""  # whose log

    @property
    def length_s(self) -> float | None:
        """Negative when it had ended before the phase ahead of it had."""
        return None if self.begin_s is None or self.end_s is None else self.end_s - self.begin_s


@dataclass(frozen=True, slots=True)
class Failover:
    """Where the time went after a step, as the logs of those who acted have it."""

    step: str
    phases: tuple[Phase, ...]

    @property
    def decided(self) -> bool:
        """Whether a member is known to have taken the lead."""
        return any(phase.name == "decide" and phase.end_s is not None for phase in self.phases)

    @property
    def length_s(self) -> float | None:
        """From the step to the end of the phase that ended last; None while the end of any is unknown."""
        ends = [phase.end_s for phase in self.phases if phase.end_s is not None]
        begin_s = self.phases[0].begin_s
        return None if begin_s is None or len(ends) < len(self.phases) else max(ends) - begin_s


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """What a run took of the error budget of a service; see `measure.errorbudget`."""

    slo: str  # the SLO whose budget it is; "" for none: then it is that of 99.9 % of 30 days
    target: float  # share of requests that must be good
    window_s: float
    budget_s: float  # seconds of total outage that the window has room for
    spent: Bounds  # seconds of total outage that cost as much


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: a sentence, and the figures in it under their names (units in the names)."""

    name: str
    verdict: Verdict
    detail: str
    figures: dict[str, float] = field(default_factory=dict)
    noticed: Noticed | None = None  # by checks of alerts


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, judged. `reasons` says why it is not a pass, worst first."""

    run: str
    experiment: str
    title: str
    target: str
    verdict: Verdict
    reasons: tuple[str, ...]
    started_at: str  # RFC 3339, UTC
    interrupted: bool
    measurement: Measurement | None
    objectives: tuple[ObjectiveResult, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    covers: tuple[str, ...] = ()
    failovers: tuple[Failover, ...] = ()
    detections: tuple[Detection, ...] = ()
    replication: LagSeries | None = None  # None: nobody was asked how far standbys are behind
    scenario: ScenarioAccount | None = None  # None: no load process told of it
    load: LoadAccount | None = None  # None: written by an older version
    version: TargetVersion | None = None  # None: the target was not asked
    zero_at: str = ""  # the wall clock at the request log's instant 0; "": there was none, or no record
    error_budget: ErrorBudget | None = None  # None: nothing was measured, or written by an older version
    cost: RunCost | None = None  # None: its target declares no price, or nothing was sent
    evidence: dict[str, str] = field(default_factory=dict)  # what → file name inside the run's directory

    def wall(self, at_s: float) -> datetime:
        """The wall clock at an instant of the request log, as far as it is known."""
        return datetime.fromisoformat(self.zero_at or self.started_at) + timedelta(seconds=at_s)

    @property
    def left_behind(self) -> tuple[StepRecord, ...]:
        """Steps whose effect is or may be there still; the last injected first: the order to undo them in."""
        left = (step for step in self.steps if step.left_behind)
        return tuple(sorted(left, key=_began_s)[::-1])


def _began_s(step: StepRecord) -> float:
    return step.before_s if step.before_s is not None else step.planned_s


def plain(value: Any) -> Any:
    """`value` as JSON-ready data: records become mappings, NaN and infinities become null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
