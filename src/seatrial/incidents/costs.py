"""What a watch over costs tells, decided from what was found and what was said before. Pure, like `policy`.

| what happened                          | what is told                                                      |
|----------------------------------------|-------------------------------------------------------------------|
| days cost more than is expected        | trigger of the series' own incident, once for days in a row, and  |
|                                        | once a week while it goes on                                      |
| days are missing, or there in part, or | trigger of another incident, a warning: a bill that nobody sees   |
| nothing can be judged                  | is not a low one                                                  |
| neither, in all days that are judged   | resolve of what is open                                           |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

from seatrial.incidents.event import IncidentEvent, Json, Kind, cost_dedup_key, cost_unknown_dedup_key
from seatrial.incidents.history import IncidentHistory
from seatrial.incidents.policy import Context
from seatrial.store import OutboxMessage

_TOLD = "days"


@dataclass(frozen=True, slots=True)
class CostNews:
    """What a watch found of a series. `anomalies`, `unknown`: each day that is one, and a sentence.

    `due`: the last day that should be there, which stands for all where nothing can be judged.
    """

    series: str
    target: str
    due: date
    anomalies: Mapping[date, str]
    unknown: Mapping[date, str]


def on_watched(
    news: CostNews,
    at: datetime,
    anomaly: IncidentHistory,
    unknown: IncidentHistory,
    context: Context,
) -> list[OutboxMessage]:
    """The messages that a watch causes. `anomaly`, `unknown`: what was said of each before."""
    quiet = replace(context, severity="warning")
    return [
        *_about(news, "anomaly", news.anomalies, at, anomaly, context),
        *_about(news, "unknown", news.unknown, at, unknown, quiet),
    ]


def _about(
    news: CostNews,
    what: str,
    days: Mapping[date, str],
    at: datetime,
    history: IncidentHistory,
    context: Context,
) -> list[OutboxMessage]:
    key = (cost_dedup_key if what == "anomaly" else cost_unknown_dedup_key)(news.target, news.series)
    event = IncidentEvent(
        kind=Kind.RESOLVE,
        dedup_key=key,
        at=at.isoformat(),
        summary=f"costs of {news.series}: {_OVER[what]}",
        target=news.target,
        experiment=f"cost.{news.series}",
        severity=context.severity,
    )
    # What was said before is part of the cause: two watches say the same once, and what comes back is news.
    before = [history.last.at] if history.last is not None else []
    before += [history.closed.isoformat()] if history.closed is not None else []
    since = f" after {max(before)}" if before else ""
    if not days:
        cause = f"{key}@{news.due}{since}"
        return [event.to(sink, cause) for sink in history.open_at]
    new = unheard(days, history)
    if not new:
        return []
    more = f" (and {len(days) - 1} more)" if len(days) > 1 else ""
    told = replace(
        event,
        kind=Kind.TRIGGER,
        summary=f"costs of {news.series}: {days[new[0]]}{more}",
        details={
            "found": cast("list[Json]", list(days.values())),
            _TOLD: cast("list[Json]", [day.isoformat() for day in days]),
            "reproduce": context.reproduce,
        },
    )
    return [told.to(sink, f"{key}@{new[0]}{since}") for sink in context.routes.incidents]


_OVER = {"anomaly": "as expected again", "unknown": "every day is known again"}


def unheard(days: Mapping[date, str], history: IncidentHistory) -> Sequence[date]:
    """Those that begin something new: neither told nor the day after one that was, or that follows one."""
    said = history.last.details.get(_TOLD) if history.last is not None else None
    known = {date.fromisoformat(str(day)) for day in said} if isinstance(said, list) else set()
    new = []
    for day in sorted(days):
        if not known & {day, day - timedelta(days=1)}:
            new.append(day)
        known.add(day)
    return new
