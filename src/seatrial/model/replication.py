"""Replication as it was seen during a run: what servers said, and how old a standby's data was."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.looks import Blind
from seatrial.model.result import Bounds


@dataclass(frozen=True, slots=True)
class StandbySeen:
    """A standby as its primary sees it (`pg_stat_replication`)."""

    name: str
    sync_state: str
    replay_lag_s: float | None  # PostgreSQL's own figure; None while there is nothing to replay
    behind_bytes: int | None


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """One server at one look. `lsn`: how far it has written if it is the primary, replayed if it is none."""

    primary: bool
    lsn: int
    standbys: tuple[StandbySeen, ...] = ()


@dataclass(frozen=True, slots=True)
class LagPoint:
    """How old what a standby shows was at one look at it: between two bounds, in seconds."""

    server: str
    at_s: float
    lag: Bounds


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """All points of a run, and the stretches in which some server gave no figure: it is none then, not 0."""

    points: tuple[LagPoint, ...]
    unmeasured: tuple[Blind, ...] = ()

    @property
    def worst(self) -> Bounds | None:
        """The largest lag; None when nobody gave a figure."""
        if not self.points:
            return None
        lower_s = max(point.lag.lower_s for point in self.points)
        return Bounds(lower_s, max(point.lag.upper_s for point in self.points))

    @property
    def unmeasured_s(self) -> float:
        """For how long, in all."""
        return sum(gap.length_s for gap in self.unmeasured)
