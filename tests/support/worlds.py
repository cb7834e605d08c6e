"""What can go wrong in a run, as small worlds, each with the verdict that it must have.

A world is what a run has left to be judged: requests, steps, what befell the run, what the scenario failed at,
what checks found. Unless it says otherwise it is a healthy one: 20 s at 100 a second, everything answered in
2 ms, a rollback at 10 s.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from tests.support.rows import log_of

from seatrial.measure import measure
from seatrial.model.bounds import Bounds
from seatrial.model.document import build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.looks import Blind
from seatrial.model.problems import CannotStore
from seatrial.model.replication import LagPoint, ReplicationLag
from seatrial.model.requestlog import Coded, RequestLog
from seatrial.model.requestsize import RequestsPerArrival
from seatrial.model.result import CheckResult, Measurement, ObjectiveResult, RunResult, StepRecord
from seatrial.model.scenarioaccount import ScenarioAccount, ScenarioError
from seatrial.model.verdict import Verdict
from seatrial.run import judge as court
from seatrial.run.losses import Losses

RATE, LENGTH_S, DEADLINE_S = 100, 20.0, 0.5
LATENCY_S = 0.002
ROLLBACK = StepRecord("rollback", "action", "deploy.rollback", "edge", 10.0, 10.0, 10.001, verified=True)
CRASH = StepRecord("crash", "fault", "process.kill", "db", 14.0, 14.0, 14.001, undone_s=19.0, verified=True)
DIED = "the load generator ended early: killed by signal 9"

_TIMELINE = (
    "timeline:\n  - {at: 10s, action: deploy.rollback, on: edge, name: rollback}\n"
    "  - {at: 14s, fault: process.kill, on: db, name: crash}\n"
)
PROMISES = {
    "downtime": "{downtime: {max: 1s}}",
    "downtime after": "{downtime: {max: 1s, after: rollback}}",
    "downtime of both": "{downtime: [{max: 1s, after: rollback}, {max: 5s, after: crash}]}",
    "recovery": "{recovery: {max: 1s, after: rollback}}",
    "recovery of both": "{recovery: [{max: 1s, after: rollback}, {max: 5s, after: crash}]}",
    "errors": "{errors: {max: 1%}}",
    "p95": "{latency: {p95: 100ms}}",
    "p99": "{latency: {p99: 100ms}}",
    "max": "{latency: {max: 100ms}}",
    "throughput": "{throughput: {min: 95/s}}",
    "lag": "{replication_lag: {max: 1s, unmeasured: 2s}}",
}


def behind(lower_s: float, upper_s: float, *gaps: Blind) -> ReplicationLag:
    """Standbys that were so far behind once, and kept up otherwise."""
    points = (LagPoint("db-2", 1.0, Bounds(0.0, 0.1)), LagPoint("db-2", 9.0, Bounds(lower_s, upper_s)))
    return ReplicationLag(points, gaps)


KEEPS_UP = behind(0.0, 0.2)


@dataclass(frozen=True)
class Spell:
    """From `start` to `end` (seconds) requests fare otherwise. `error` is the log's word for it."""

    start: float
    end: float
    error: str = "HTTP 503"
    status: int = 503
    sent: bool = True
    answered: bool = True
    late_s: float = 0.0  # sent so late
    took_s: float = LATENCY_S
    every: int = 1  # only every so manieth of them
    first: int = 0

    def of(self, index: int) -> bool:
        return self.start <= index / RATE < self.end and index % self.every == self.first


def refused(start: float, end: float) -> Spell:
    return Spell(start, end)


def silent(start: float, end: float) -> Spell:
    return Spell(start, end, "deadline", 0, answered=False)


def dropped(start: float, end: float, error: str = "dropped: too many open files") -> Spell:
    return Spell(start, end, error, 0, sent=False, answered=False)


def ours(start: float, end: float, error: str) -> Spell:
    return Spell(start, end, error, 0, answered=False)


def sent_late(start: float, end: float, late_s: float) -> Spell:
    return Spell(start, end, "", 200, late_s=late_s)


def slow(start: float, end: float, took_s: float, every: int = 1) -> Spell:
    return Spell(start, end, "", 200, took_s=took_s, every=every)


@cache
def log(spells: tuple[Spell, ...] = (), from_s: float = 0.0, until_s: float = LENGTH_S) -> RequestLog:
    rows = []
    for index in range(round(from_s * RATE), round(until_s * RATE)):
        due = index / RATE
        spell = next((each for each in spells if each.of(index)), Spell(0, 0, "", 200))
        sent = due + spell.late_s if spell.sent else None
        rows.append({
            "intended": due, "sent": sent,
            "ended": sent + spell.took_s if sent is not None and spell.answered else None,
            "ok": not spell.error and spell.sent, "status": spell.status, "name": "GET /", "served_by": "blue",
            "error": spell.error, "worker": "0", "key": None,
        })  # fmt: skip
    return log_of(rows)


@dataclass(frozen=True)
class World:
    """`says` is in one of the reasons; `reasons` are all of them. `objectives`: the verdicts on the promises."""

    name: str
    expected: Verdict
    promises: str = "{errors: {max: 1%}}"
    spells: tuple[Spell, ...] = ()
    steps: tuple[StepRecord, ...] = (ROLLBACK, CRASH)
    from_s: float = 0.0
    until_s: float = LENGTH_S
    cut: str = ""
    disturbances: tuple[tuple[Verdict, str], ...] = ()
    interrupted: bool = False
    scenario: ScenarioAccount | None = None
    tolerated: str = "0%"
    checks: tuple[CheckResult, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()  # parts of the evidence that were not kept, and why
    says: str = ""
    reasons: tuple[str, ...] | None = None
    objectives: tuple[Verdict, ...] | None = None
    rate: str = "100/s"
    load: LoadAccount = field(default_factory=LoadAccount)
    arrivals: int | None = None  # if the log is not all that is known of them
    lag: ReplicationLag | None = KEEPS_UP
    lag_why: str = ""
    tenants: int = 0  # requests are sent in the names of so many in turn; 0: in nobody's

    def experiment(self) -> Experiment:
        text = (
            f"experiment: x\nload: {{scenario: a.py, rate: {self.rate}, deadline: 500ms, "
            f"scenario_errors: {self.tolerated}}}\nduration: 20s\n{_TIMELINE}objectives: {self.promises}\n"
        )
        if self.checks:
            text += f"checks: [{', '.join(check.name for check in self.checks)}]\n"
        return _built(text)

    def objective_results(self) -> tuple[ObjectiveResult, ...]:
        return court.judge_objectives(self._story())

    def judgement(self) -> court.Judgement:
        found = court.judge(
            self._story(), self.objective_results(), self.checks, self.disturbances, self.interrupted,
            self.scenario,
        )  # fmt: skip
        losses = Losses(Path())
        for part, why in self.lost:
            losses.done(part, partial(_fail, why))
        told = losses.told(replace(_RUN, verdict=found.verdict, reasons=found.reasons))
        return court.Judgement(told.verdict, told.reasons)

    def holds(self) -> bool:
        """Whether the judge says what it must."""
        judgement = self.judgement()
        results = self.objective_results()
        return (
            judgement.verdict is self.expected
            and any(self.says in reason for reason in judgement.reasons or ("",))
            and (self.reasons is None or judgement.reasons == self.reasons)
            and (self.objectives is None or tuple(result.verdict for result in results) == self.objectives)
            and all((result.verdict is Verdict.PASS) <= (result.reason == "") for result in results)
        )

    def _story(self) -> court.Story:
        requests = log(self.spells, self.from_s, self.until_s)
        if self.tenants:
            names = [f"t{index % self.tenants}" for index in range(len(requests))]
            requests = replace(requests, tenant=Coded.of(names))
        measured = _measured(self.spells, self.from_s, self.until_s) if len(requests) else None
        if measured is not None:
            generator = replace(measured.generator, arrivals=self.arrivals)
            measured = replace(measured, generator=generator)
        return court.Story(
            self.experiment(), requests, measured, self.steps, self.cut, self.load, self.lag, self.lag_why
        )


_RUN = RunResult("", "", "", "", Verdict.PASS, (), "", interrupted=False, measurement=None)


def _fail(why: str) -> None:
    raise CannotStore(why)


@cache
def _built(text: str) -> Experiment:
    return build(Experiment, parse(text, "x.yaml"))


@cache
def _measured(spells: tuple[Spell, ...], from_s: float, until_s: float) -> Measurement:
    return measure(log(spells, from_s, until_s), DEADLINE_S, 1.0, 0.0, until_s)


def of_requests(wanted_per_s: float, **found: float) -> LoadAccount:
    """A load that counts requests, of which an arrival makes five."""
    known = {"mean": 5.0, "margin": 0.0, "arrivals": 40} | found
    return LoadAccount("requests", wanted_per_s, per_arrival=RequestsPerArrival(**known))  # type: ignore[arg-type]


def failing(*counts: int, arrivals: int = 2000) -> ScenarioAccount:
    """So many errors of one kind after the other."""
    errors = (ScenarioError("KeyError: 'nope'", f"home.py:{7 + i}", "home", n) for i, n in enumerate(counts))
    return ScenarioAccount(arrivals, tuple(errors))
