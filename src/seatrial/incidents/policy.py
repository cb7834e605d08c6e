"""Who is told what, decided from what happened and what was said before. Pure: no clock, no I/O.

| what happened                          | what is told                                                      |
|----------------------------------------|-------------------------------------------------------------------|
| a run failed                           | trigger; a note too when the incident was open already            |
| a step is left behind: not undone, or  | trigger, critical, whatever the verdict                           |
| not seen to be undone                  |                                                                   |
| the n-th failure in a row              | severity raised, and who hears of escalations is told             |
| unacknowledged for the declared time   | severity raised, and who hears of escalations is told             |
| a run passed, nothing left behind      | resolve, at every sink where the incident is open                 |
| a run is unknown                       | nothing: whoever started it by hand sees it; a schedule tells it  |
| start, an action, end                  | change events, which notify nobody                                |
| a run has ended                        | from when until when it and its steps lasted, for charts          |

What schedules tell beside that is in `incidents.schedules`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from seatrial.incidents.event import IncidentEvent, Json, Kind, Subject, dedup_key, raised
from seatrial.incidents.history import IncidentHistory
from seatrial.model.experiment import Severity
from seatrial.model.figures import NOT_MEASURED, exactly, measured
from seatrial.model.quantities import Duration
from seatrial.model.result import ObjectiveResult, RunResult, StepRecord
from seatrial.model.verdict import Verdict
from seatrial.store import OutboxMessage


@dataclass(frozen=True, slots=True)
class Escalation:
    """When an incident that goes on is told louder, and to a second key."""

    after: int = 3  # consecutive failures
    unknown: int = 2  # occurrences without a pass between them that proved nothing
    unacknowledged: Duration | None = None  # None: time alone never escalates


@dataclass(frozen=True, slots=True)
class Routes:
    """Which sinks hear of what, by name; see `sink.Hears`."""

    incidents: tuple[str, ...] = ()
    escalations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()

    def of_trigger(self, *, escalated: bool) -> tuple[str, ...]:
        """Who hears of a failure."""
        return (*self.incidents, *self.escalations) if escalated else self.incidents


@dataclass(frozen=True, slots=True)
class Context:
    """What an event says about a run beside its result."""

    severity: Severity = "error"
    escalation: Escalation = Escalation()
    routes: Routes = Routes()
    report_url: str = ""
    reproduce: str = ""  # the command that runs it again
    owner: str = ""  # who looks after the schedule that it belongs to


def on_result(
    result: RunResult, at: datetime, history: IncidentHistory, context: Context
) -> list[OutboxMessage]:
    """The messages that a finished run causes."""
    messages = _changes_of(result, at, context) + periods_of(result, at, context)
    if result.verdict is Verdict.FAIL or result.left_behind:
        return messages + _trigger(result, at, history, context)
    if result.verdict is Verdict.PASS and not result.interrupted:
        return messages + _resolve(result, at, history, context)
    return messages


def _trigger(
    result: RunResult, at: datetime, history: IncidentHistory, context: Context
) -> list[OutboxMessage]:
    failures = history.failures + (result.verdict is Verdict.FAIL)
    severity: Severity = "critical" if result.left_behind else context.severity
    escalates = history.escalated or failures >= context.escalation.after
    if escalates:
        severity = raised(severity)
    event = IncidentEvent(
        kind=Kind.TRIGGER,
        dedup_key=dedup_key(result.target, result.experiment),
        at=at.isoformat(),
        summary=_summary(result, failures),
        target=result.target,
        experiment=result.experiment,
        run=result.run,
        severity=severity,
        escalated=escalates,
        report_url=context.report_url,
        details=_details(result, failures, context),
    )
    messages = [event.to(sink, result.run) for sink in context.routes.of_trigger(escalated=escalates)]
    if history.is_open:
        note = replace(event, kind=Kind.NOTE)
        messages += [note.to(sink, result.run) for sink in context.routes.notes]
    return messages


def _resolve(
    result: RunResult, at: datetime, history: IncidentHistory, context: Context
) -> list[OutboxMessage]:
    event = IncidentEvent(
        kind=Kind.RESOLVE,
        dedup_key=dedup_key(result.target, result.experiment),
        at=at.isoformat(),
        summary=f"{result.experiment} on {result.target} passes again",
        target=result.target,
        experiment=result.experiment,
        run=result.run,
        report_url=context.report_url,
    )
    return [event.to(sink, result.run) for sink in history.open_at]


def _summary(result: RunResult, failures: int) -> str:
    name = f"{result.experiment} on {result.target}"
    if result.left_behind:
        steps = ", ".join(f"{step.does} on {step.role}" for step in result.left_behind)
        return f"{name}: {steps} is not known to be undone; run: seatrial recover"
    why = result.reasons[0] if result.reasons else "an objective was not kept"
    again = f" ({failures} times in a row)" if failures > 1 else ""
    return f"{name} failed{again}: {why}"


def _details(result: RunResult, failures: int, context: Context) -> dict[str, Json]:
    details: dict[str, Json] = {
        "verdict": result.verdict.value,
        "run": result.run,
        "started_at": result.started_at,
        "consecutive_failures": failures,
        "objectives": [_objective(objective) for objective in result.objectives],
        "checks": [f"{check.name}: {check.verdict.value}: {check.detail}" for check in result.checks],
        "suspected_step": suspected_step(result),
        "reasons": cast("list[Json]", list(result.reasons)),
    }
    if left := result.left_behind:
        details["not_undone"] = [
            f"{step.name} ({step.does} on {step.role}) {step.undo_outcome}: {step.error}" for step in left
        ]
        commands = [step.by_hand for step in left if step.by_hand]
        details["by_hand"] = cast("list[Json]", [*commands, "seatrial recover"])
    return details | {"report": context.report_url, "reproduce": context.reproduce}


def _objective(objective: ObjectiveResult) -> dict[str, Json]:
    """Objective, target and measured bounds, as people read them on a phone."""
    shown = measured(objective)
    return {
        "objective": objective.name,
        "target": exactly(objective.target, objective.unit),
        "measured": NOT_MEASURED if shown is None else str(shown),
        "verdict": objective.verdict.value,
    }


def suspected_step(result: RunResult) -> str:
    """The step after which the longest outage began; without an outage, the last one that took effect."""
    outages = result.measurement.outages if result.measurement else ()
    longest = max(outages, key=lambda outage: outage.perceived.upper_s, default=None)
    if longest is not None and longest.name:
        return longest.name
    effective = [step for step in result.steps if step.injected_s is not None]
    latest = max(effective, key=lambda step: step.injected_s or 0.0, default=None)
    return latest.name if latest else ""


def on_start(subject: Subject, at: datetime, context: Context) -> list[OutboxMessage]:
    """The change event of a run that begins."""
    return _change(subject, at, "begins", f"{subject.run}:start", context)


def _changes_of(result: RunResult, at: datetime, context: Context) -> list[OutboxMessage]:
    """Change events of the actions (switch, rollback …) at the instants they took effect, and of the end."""
    subject = Subject(result.run, result.experiment, result.target)
    done = [step for step in result.steps if step.kind == "action" and step.injected_s is not None]
    messages = []
    for index, step in enumerate(done):
        instant = result.wall(step.injected_s or 0.0)
        messages += _change(subject, instant, f"{step.does} done", f"{result.run}:step{index}", context)
    return messages + _change(subject, at, f"ends: {result.verdict.value}", f"{result.run}:end", context)


def _change(subject: Subject, at: datetime, what: str, cause: str, context: Context) -> list[OutboxMessage]:
    event = _news(Kind.CHANGE, subject, at, what, context, {})
    return [event.to(sink, cause) for sink in context.routes.changes]


def _news(
    kind: Kind, subject: Subject, at: datetime, what: str, context: Context, details: dict[str, Json]
) -> IncidentEvent:
    """What nobody is called for."""
    return IncidentEvent(
        kind=kind,
        dedup_key=dedup_key(subject.target, subject.experiment),
        at=at.isoformat(),
        summary=f"{subject.experiment} on {subject.target}: {what}",
        target=subject.target,
        experiment=subject.experiment,
        run=subject.run,
        severity="info",
        report_url=context.report_url,
        details=details,
    )


def periods_of(result: RunResult, at: datetime, context: Context) -> list[OutboxMessage]:
    """The run, and each step that took effect, from begin to end. Until its end, what is left behind."""
    run = _period(result, result.verdict.value, datetime.fromisoformat(result.started_at), at, context)
    told = [(run, "run")]
    for index, step in enumerate(result.steps):
        if step.injected_s is None:
            continue
        begin_s = step.injected_s if step.before_s is None else step.before_s
        done_s = step.injected_s if step.kind == "action" else step.undone_s
        until = at if done_s is None else result.wall(done_s)
        event = _period(result, f"{step.does} on {step.role}", result.wall(begin_s), until, context, step)
        told.append((event, f"step{index}"))
    return [
        event.to(sink, f"{result.run}:{cause}") for event, cause in told for sink in context.routes.periods
    ]


def _period(
    result: RunResult,
    what: str,
    begin: datetime,
    until: datetime,
    context: Context,
    step: StepRecord | None = None,
) -> IncidentEvent:
    details: dict[str, Json] = {"until": max(begin, until).isoformat(), "verdict": result.verdict.value}
    if step is not None:
        details |= {"step": step.name, "kind": step.kind, "does": step.does, "role": step.role}
    subject = Subject(result.run, result.experiment, result.target)
    return _news(Kind.PERIOD, subject, begin, what, context, details)


def on_unacknowledged(
    history: IncidentHistory,
    now: datetime,
    escalation: Escalation,
    routes: Routes,
    *,
    acknowledged: bool | None,
) -> list[OutboxMessage]:
    """The escalation of an incident that nobody took within the declared time.

    `acknowledged` is None when it cannot be looked up; that counts as not acknowledged.
    """
    last, opened = history.last, history.opened
    if last is None or opened is None or history.escalated or acknowledged:
        return []
    if escalation.unacknowledged is None:
        return []
    if now - opened < timedelta(seconds=escalation.unacknowledged.seconds):
        return []
    seen = "not acknowledged" if acknowledged is False else "not known to be acknowledged"
    louder = replace(
        last,
        at=now.isoformat(),
        summary=f"{seen} for {escalation.unacknowledged}: {last.summary}",
        severity=raised(last.severity),
        escalated=True,
    )
    cause = f"{last.dedup_key}:unacknowledged:{opened.isoformat()}"
    sinks = dict.fromkeys([*history.open_at, *routes.escalations])
    return [louder.to(sink, cause) for sink in sinks]
