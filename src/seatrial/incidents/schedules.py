"""What schedules tell beside their runs, decided from what became of an occurrence and what was said before.

Pure, like `policy`. A schedule has an incident of its own, because a run that was not started, or proved
nothing, breaks no experiment's promise: it is the promise to try each month that is broken.

| what happened                          | what is told                                                      |
|----------------------------------------|-------------------------------------------------------------------|
| an occurrence did not run, or not to   | trigger for its schedule, unless a person ended it by Ctrl-C      |
| its end                                |                                                                   |
| an occurrence came out unknown, or     | trigger for its schedule, a warning unless declared otherwise;    |
| something in its suite did             | the second without a pass between them is louder                  |
| blackouts have left nothing to run for | trigger for its schedule, a warning, once                         |
| two months and three occurrences       |                                                                   |
| an occurrence failed                   | nothing for its schedule: the experiment's incident tells it      |
| an occurrence passed                   | resolve for its schedule                                          |
| a schedule's files cannot be used      | trigger of its own, at once; resolve when they are mended         |
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from seatrial.incidents.event import (
    IncidentEvent,
    Json,
    Kind,
    Subject,
    files_dedup_key,
    louder,
    raised,
    schedule_dedup_key,
)
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context
from seatrial.store import Occurrence, OccurrenceEnding, OutboxMessage


def on_missed(
    occurrence: Occurrence, ending: OccurrenceEnding, at: datetime, history: IncidentHistory, context: Context
) -> list[OutboxMessage]:
    """The messages that an occurrence causes which did not run, or not to its end."""
    became = f"was {ending.state.value}: {ending.detail}"
    details: dict[str, Json] = {"outcome": ending.state.value, "reason": ending.detail}
    return _unproven(occurrence, became, details, context.escalation.after, at, history, context)


def on_nothing_but_blackouts(
    occurrence: Occurrence,
    ending: OccurrenceEnding,
    skipped: int,
    at: datetime,
    history: IncidentHistory,
    context: Context,
) -> list[OutboxMessage]:
    """The messages of an occurrence that was skipped, like all for a long time: `skipped` of them."""
    if history.is_open:
        return []
    became = f"was skipped, as the {skipped - 1} before it: {ending.detail}"
    details: dict[str, Json] = {"outcome": ending.state.value, "reason": ending.detail, "skipped": skipped}
    return _unproven(occurrence, became, details, context.escalation.after, at, history, context)


def on_unknown(
    occurrence: Occurrence,
    ending: OccurrenceEnding,
    unproven: Sequence[str],
    at: datetime,
    history: IncidentHistory,
    context: Context,
) -> list[OutboxMessage]:
    """The messages of an occurrence that ran and of which something came out unknown. `unproven`: what."""
    became = f"proved nothing: {_first_of(unproven)}"
    details: dict[str, Json] = {
        "outcome": ending.verdict,
        "run": ending.run,
        "unproven": cast("list[Json]", list(unproven)),
    }
    return _unproven(occurrence, became, details, context.escalation.unknown, at, history, context)


def _unproven(
    occurrence: Occurrence,
    became: str,
    details: dict[str, Json],
    loud_after: int,
    at: datetime,
    history: IncidentHistory,
    context: Context,
) -> list[OutboxMessage]:
    """The trigger of a schedule's incident; one that is open gets louder with time, never quieter."""
    in_a_row = history.failures + 1
    escalates = history.escalated or in_a_row >= loud_after
    severity = raised(context.severity) if escalates else context.severity
    if history.last is not None:
        severity = louder(severity, history.last.severity)
    planned = f"the run planned for {occurrence.planned_at:%Y-%m-%d %H:%M} UTC"
    again = f" ({in_a_row} times without a pass)" if in_a_row > 1 else ""
    event = IncidentEvent(
        kind=Kind.TRIGGER,
        dedup_key=schedule_dedup_key(occurrence.target, occurrence.schedule),
        at=at.isoformat(),
        summary=f"{occurrence.schedule} on {occurrence.target}: {planned} {became}{again}",
        target=occurrence.target,
        experiment=occurrence.schedule,
        severity=severity,
        escalated=escalates,
        report_url=context.report_url,
        details=details
        | {
            "planned_at": occurrence.planned_at.isoformat(),
            "in_a_row": in_a_row,
        }
        | _for_people(context),
    )
    return [event.to(sink, _cause(occurrence)) for sink in context.routes.of_trigger(escalated=escalates)]


def on_passed(occurrence: Occurrence, at: datetime, history: IncidentHistory) -> list[OutboxMessage]:
    """The resolve of a schedule's own incident. A failure does not resolve it: the next pass does."""
    event = IncidentEvent(
        kind=Kind.RESOLVE,
        dedup_key=schedule_dedup_key(occurrence.target, occurrence.schedule),
        at=at.isoformat(),
        summary=f"{occurrence.schedule} on {occurrence.target} passes again",
        target=occurrence.target,
        experiment=occurrence.schedule,
    )
    return [event.to(sink, _cause(occurrence)) for sink in history.open_at]


def on_files(
    subject: Subject, problems: Sequence[str], at: datetime, history: IncidentHistory, context: Context
) -> list[OutboxMessage]:
    """The messages about a schedule's files that cannot be used, or are mended (no problems any more).

    `subject.experiment` is the schedule's name. What was told already is not told again, whichever daemon
    asks.
    """
    told = history.last.details.get("problems") if history.last is not None else []
    if told == list(problems):
        return []
    key = files_dedup_key(subject.target, subject.experiment)
    became = f"what is due cannot run: {_first_of(problems)}" if problems else "its files are mended"
    event = IncidentEvent(
        kind=Kind.TRIGGER if problems else Kind.RESOLVE,
        dedup_key=key,
        at=at.isoformat(),
        summary=f"{subject.experiment} on {subject.target}: {became}",
        target=subject.target,
        experiment=subject.experiment,
        severity=context.severity,
        details={"problems": cast("list[Json]", list(problems)), **_for_people(context)},
    )
    sinks = context.routes.incidents if problems else history.open_at
    return [event.to(sink, f"{key}@{at.isoformat()}") for sink in sinks]


def _for_people(context: Context) -> dict[str, Json]:
    """How to run it again, and whose it is."""
    said: dict[str, Json] = {"reproduce": context.reproduce}
    return {**said, "owner": context.owner} if context.owner else said


def _first_of(sentences: Sequence[str]) -> str:
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return f"{sentences[0]}{more}"


def _cause(occurrence: Occurrence) -> str:
    return f"{occurrence.schedule}@{occurrence.planned_at.isoformat()}"
