"""How far the database's standbys were behind during a run: from what was recorded to what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seatrial.checks.protocol import Need, Recorded
from seatrial.measure.replication import replication_lag
from seatrial.model.bounds import Bounds
from seatrial.model.noticing import LagInstant, LagSeries
from seatrial.model.replication import LagPoint, ReplicationLag

RECORDER = "replication"
_MOST_S = 3_600  # seconds that are told one by one


def lag_in(answers: Mapping[Need[Any], Recorded[Any]], end_s: float) -> tuple[ReplicationLag | None, str]:
    """The lag over the measured part, or why nobody knows it; neither when it was not asked for."""
    told = next((answer for need, answer in answers.items() if need.recorder == RECORDER), None)
    if told is None:
        return None, ""
    if told.data is None:
        return None, told.error
    return replication_lag(told.data, 0.0, end_s), ""


def series_of(lag: ReplicationLag | None, end_s: float) -> LagSeries | None:
    """The same second by second; None when it was not asked for."""
    if lag is None:
        return None
    by_second: dict[int, list[LagPoint]] = {}
    for point in lag.points:
        by_second.setdefault(int(point.at_s), []).append(point)
    seconds = range(min(int(end_s), _MOST_S))
    told = tuple(LagInstant(float(second), _worst(by_second.get(second, ()))) for second in seconds)
    return LagSeries(lag.worst, lag.unmeasured_s, told)


def _worst(points: Iterable[LagPoint]) -> Bounds | None:
    lags = [point.lag for point in points]
    return Bounds(max(lag.lower_s for lag in lags), max(lag.upper_s for lag in lags)) if lags else None
