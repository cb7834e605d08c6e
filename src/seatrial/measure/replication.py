"""How far standbys are behind their primary, in seconds, from looks at both. Pure.

    primary:  p1 ──── p2 ──── p3 ──── p4           how far it had written, at each look
    standby:              r                        how far it had replayed, at one look between

What a standby shows is as old as the last instant at which the primary had written no more than r. Let p2 be
the primary's last reading that is not above r, and p3 the next, which is. The primary passed r after p2's
look began and before p3's ended, so at the standby's look, which lasted from a to b,

    a - (end of p3's look)  ≤  lag  ≤  b - (begin of p2's look)        and the lower bound is 0 without a p3.

Only our own clock is in it, so it goes on counting while the two cannot see each other, when PostgreSQL's own
figure is gone with the connection. It holds across a failover: the readings after p2 alone count, so what a
lost primary had written to nobody is no lag. While no primary has answered for a second there is no figure,
and neither is there one of a standby that does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from seatrial.model.looks import Blind, Look, blind
from seatrial.model.replication import LagPoint, ReplicationLag, ServerSeen
from seatrial.model.result import Bounds

_LONGEST_BLIND_S = 1.0
Looks = Mapping[str, Sequence[Look[ServerSeen]]]


def replication_lag(looks: Looks, begin_s: float, end_s: float) -> ReplicationLag:
    """The lag of every standby between two instants. `looks`: those at each server, in order of time."""
    primaries = sorted(
        (look for each in looks.values() for look in each if look.seen is not None and look.seen.primary),
        key=lambda look: look.asked_s,
    )
    points: list[LagPoint] = []
    gaps: list[Blind] = []
    for server, each in looks.items():
        told = list(_told(server, each, primaries, points))
        gaps += blind(told, begin_s, end_s, _LONGEST_BLIND_S)
    within = (point for point in points if begin_s <= point.at_s <= end_s)
    return ReplicationLag(tuple(sorted(within, key=lambda point: point.at_s)), tuple(_merged(gaps)))


def _told(
    server: str,
    looks: Sequence[Look[ServerSeen]],
    primaries: Sequence[Look[ServerSeen]],
    points: list[LagPoint],
) -> Iterator[Look[ServerSeen]]:
    """The looks, those that give no figure as if nobody had answered; `points` takes the figures."""
    known = 0  # primary readings that began before this look ended
    for look in looks:
        if look.seen is None or look.seen.primary:
            yield look
            continue
        while known < len(primaries) and primaries[known].asked_s <= look.answered_s:
            known += 1
        lag = _lag(look, look.seen.lsn, primaries, known)
        if lag is None:
            yield Look(look.asked_s, look.answered_s, None, f"{server}: no primary to be held against")
            continue
        points.append(LagPoint(server, look.answered_s, lag))
        yield look


def _lag(
    look: Look[ServerSeen], lsn: int, primaries: Sequence[Look[ServerSeen]], known: int
) -> Bounds | None:
    if not known or look.asked_s - primaries[known - 1].answered_s > _LONGEST_BLIND_S:
        return None
    passed: Look[ServerSeen] | None = None
    for place in range(known - 1, -1, -1):
        reading = primaries[place]
        assert reading.seen is not None
        if reading.seen.lsn <= lsn:
            lower_s = max(0.0, look.asked_s - passed.answered_s) if passed else 0.0
            return Bounds(lower_s, look.answered_s - reading.asked_s)
        passed = reading
    return None  # it was behind before we began to look: since when, nobody knows


def _merged(gaps: Sequence[Blind]) -> Iterator[Blind]:
    """Stretches that overlap as one."""
    open_: Blind | None = None
    for gap in sorted(gaps, key=lambda each: each.begin_s):
        if open_ is not None and gap.begin_s <= open_.end_s:
            open_ = Blind(open_.begin_s, max(open_.end_s, gap.end_s), open_.why or gap.why)
            continue
        if open_ is not None:
            yield open_
        open_ = gap
    if open_ is not None:
        yield open_
