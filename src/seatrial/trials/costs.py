"""A watch over what something costs: where its bill comes from, what is found, and who is told of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from seatrial.cost.detector import FEWEST_DAYS, USUAL
from seatrial.cost.series import Charge, CostSeries, by_day
from seatrial.cost.watch import LATEST_DAYS, Watched, due_on, told, watched
from seatrial.drivers.timeseries import values_over_time
from seatrial.extras import COST
from seatrial.files import read
from seatrial.incidents import IncidentSettings, deliver, history
from seatrial.incidents.costs import CostNews, on_watched
from seatrial.incidents.event import cost_dedup_key, cost_unknown_dedup_key
from seatrial.incidents.policy import Context
from seatrial.model.document import build
from seatrial.model.experiment import Severity
from seatrial.model.problems import BadInput, SeatrialError, Unavailable
from seatrial.model.role import Role
from seatrial.model.target import Target
from seatrial.store import Store

_DAY = timedelta(days=1)
_ASKED_DAYS = USUAL.learned_from + FEWEST_DAYS + LATEST_DAYS

Bill = Callable[[date], CostSeries]  # until the last day that is due; raises BadInput or Unavailable


@dataclass(frozen=True, slots=True)
class CostWatch:
    """What is watched. `series`: what people call it; `target`: whose it is, as incidents tell it."""

    series: str
    target: str
    bill: Bill
    until: date | None = None  # the last day that is due; None: by the clock
    days: int = LATEST_DAYS
    hours: bool = False  # whether hours are judged as well

    def look(self, today: date) -> Watched:
        """What is found now. Raises BadInput for a bill that cannot be read, and Unavailable without the
        extra; a source that does not answer is unknown."""
        COST.require("watching costs")
        due = self.until or due_on(today)
        try:
            series = self.bill(due)
        except Unavailable as error:
            return unreadable(due, error)
        return watched(series, due, self.days, newest=(self.until or today) if self.hours else None)


def unreadable(due: date, error: SeatrialError) -> Watched:
    """Of a bill that cannot be had nothing is known."""
    return Watched(CostSeries(due, np.empty(0)), due, 0, (), f"the bill cannot be had: {error}")


def tell(
    watch: CostWatch,
    found: Watched,
    store: Store,
    settings: IncidentSettings,
    severity: Severity,
    command: str,
) -> int:
    """Put what was found into the outbox, and try to deliver it; how many messages it caused."""
    now = datetime.now(UTC)
    anomaly, unknown = (
        history.of_incident(store, key(watch.target, watch.series))
        for key in (cost_dedup_key, cost_unknown_dedup_key)
    )
    context = Context(severity=severity, routes=settings.routes(), reproduce=command)
    messages = on_watched(news_of(watch, found), now, anomaly, unknown, context)
    store.outbox.enqueue(messages, now)
    deliver(store, settings)
    return len(messages)


def news_of(watch: CostWatch, found: Watched) -> CostNews:
    """What is to be told of it. Where nothing could be judged, that stands for the day that is due."""
    currency = found.series.currency
    days = {each.day: told(each, currency) for each in found.findings if each.kind.proven}
    unknown = {each.day: told(each, currency) for each in found.findings if not each.kind.proven}
    return CostNews(
        watch.series, watch.target, found.due, days, {found.due: found.why} if found.why else unknown
    )


def by_promql(named: str, role: str, expression: str) -> tuple[str, Bill]:
    """The target's name, and its bill by a Prometheus server in a role of it.

    The expression is asked at the end of each day (UTC) and gives what that day cost. Raises BadInput.
    """
    source = read(named, "target")
    target = build(Target, source.document)
    bound = Role.of(target, role, source.path.parent)

    def bill(due: date) -> CostSeries:
        end = datetime.combine(due + _DAY, time(), UTC)
        found = values_over_time(bound, expression, end - _ASKED_DAYS * _DAY, end, _DAY.total_seconds())
        charges = (Charge(at - _DAY, at - _DAY, cost) for at, cost in found.items() if math.isfinite(cost))
        try:
            first, values = by_day(charges)
        except ValueError as error:
            raise Unavailable(f"{role}: {expression} matches nothing in {_ASKED_DAYS} days") from error
        return CostSeries(first, values)

    return target.target, bill


def day_of(option: str, text: str) -> date:
    """The day that an option says. Raises BadInput, naming the option."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option}: '{text}' is no day such as 2026-10-31") from error
