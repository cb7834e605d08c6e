"""The table of occurrences: the truth about what was planned, and about what became of it.

Every planned instant of a schedule gets one row. It is inserted as `running` by the daemon that claims it,
or straight away as `missed` or `skipped`; a running one ends as `run` or `interrupted`. The primary key and
the unique index over running rows decide every race between daemons, so a claim is a single INSERT.

A running occurrence carries a `beat` that its owner increments. Whoever has watched a beat stand still for
a whole lease *on its own monotonic clock* may declare the occurrence interrupted (as Kubernetes' leader
election does): no two clocks need to agree, and a wall clock that jumps changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

import sqlalchemy as sa

from seatrial.model.secrets import shown
from seatrial.store.database import Database
from seatrial.store.outbox import Outbox, OutboxMessage
from seatrial.store.schema import occurrences, schedules


class OccurrenceState(StrEnum):
    """What an occurrence is. All but RUNNING are final."""

    RUNNING = "running"
    RUN = "run"
    MISSED = "missed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class Claim(Enum):
    """How an attempt to claim an occurrence ended."""

    WON = auto()
    TAKEN = auto()  # the occurrence has a row already: somebody runs or ran it, or it was missed or skipped
    BUSY = auto()  # another occurrence is running on the same target


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One planned instant of a schedule, and when (after its jitter) it is due."""

    schedule: str
    planned_at: datetime
    due_at: datetime
    target: str


@dataclass(frozen=True, slots=True)
class RecordedOccurrence:
    """What became of an occurrence: one row."""

    schedule: str
    planned_at: datetime
    target: str
    state: OccurrenceState
    due_at: datetime
    claim: str
    daemon: str
    beat: int
    claimed_at: datetime
    ended_at: datetime | None
    run: str
    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class OccurrenceEnding:
    """How a running occurrence ended."""

    state: OccurrenceState
    run: str = ""
    verdict: str = ""
    detail: str = ""


class Occurrences:
    """Claims, heartbeats and outcomes."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def register(self, schedule: str, since: datetime) -> datetime:
        """Begin to account for a schedule from `since` on; the instant that it is accounted for until."""
        with self._database.writing() as connection:
            row = {"schedule": schedule, "accounted_until": since}
            self._database.insert_new(connection, schedules, row)
            query = sa.select(schedules.c.accounted_until).where(schedules.c.schedule == schedule)
            accounted_until: datetime = connection.execute(query).scalar_one()
        return accounted_until

    def accounted(self, schedule: str, until: datetime) -> None:
        """Every planned instant up to `until` has its row now. It never goes back."""
        behind = sa.and_(schedules.c.schedule == schedule, schedules.c.accounted_until < until)
        with self._database.writing() as connection:
            connection.execute(sa.update(schedules).where(behind).values(accounted_until=until))

    def claim(self, occurrence: Occurrence, token: str, daemon: str, now: datetime) -> Claim:
        """Try to become the one that runs this occurrence.

        `token` names this daemon and this occurrence: when the answer to a first INSERT was lost with the
        connection, asking again finds the own token there and has won. Do not ask for what you run already.
        """
        row = _row(occurrence, OccurrenceState.RUNNING, now) | {"claim": token, "daemon": daemon}
        with self._database.writing() as connection:
            if self._database.insert_new(connection, occurrences, row):
                return Claim.WON
            same = sa.and_(
                occurrences.c.schedule == occurrence.schedule,
                occurrences.c.planned_at == occurrence.planned_at,
            )
            found = connection.execute(
                sa.select(occurrences.c.claim, occurrences.c.state).where(same)
            ).first()
        if found is None:
            return Claim.BUSY
        return Claim.WON if tuple(found) == (token, OccurrenceState.RUNNING.value) else Claim.TAKEN

    def close(
        self,
        occurrence: Occurrence,
        ending: OccurrenceEnding,
        now: datetime,
        messages: Sequence[OutboxMessage] = (),
    ) -> bool:
        """Record an occurrence that is not run, with its messages; False when it has a row already."""
        row = _row(occurrence, ending.state, now) | {"ended_at": now, "detail": shown(ending.detail)}
        with self._database.writing() as connection:
            inserted = self._database.insert_new(connection, occurrences, row)
            if inserted:
                self._outbox.add(connection, messages, now)
        return inserted

    def heartbeat(self, claims: Sequence[str]) -> set[str]:
        """Say that the owner of `claims` lives; which of them it still owns."""
        if not claims:
            return set()
        mine = sa.and_(occurrences.c.claim.in_(claims), occurrences.c.state == OccurrenceState.RUNNING.value)
        with self._database.writing() as connection:
            connection.execute(sa.update(occurrences).where(mine).values(beat=occurrences.c.beat + 1))
            return set(connection.scalars(sa.select(occurrences.c.claim).where(mine)))

    def finish(
        self, claim: str, ending: OccurrenceEnding, now: datetime, messages: Sequence[OutboxMessage] = ()
    ) -> bool:
        """Record how the owner's occurrence ended.

        That it *ran* also corrects an `interrupted` that another daemon wrote while the owner could not be
        heard: the claim shows that it is the same execution.
        """
        correctable = [OccurrenceState.RUNNING.value]
        if ending.state is OccurrenceState.RUN:
            correctable.append(OccurrenceState.INTERRUPTED.value)
        condition = sa.and_(occurrences.c.claim == claim, occurrences.c.state.in_(correctable))
        return self._end(condition, ending, now, messages)

    def interrupt(
        self, seen: RecordedOccurrence, detail: str, now: datetime, messages: Sequence[OutboxMessage] = ()
    ) -> bool:
        """Declare an occurrence interrupted whose beat stood still at `seen.beat`; False if it did not."""
        condition = sa.and_(
            occurrences.c.claim == seen.claim,
            occurrences.c.beat == seen.beat,
            occurrences.c.state == OccurrenceState.RUNNING.value,
        )
        return self._end(
            condition, OccurrenceEnding(OccurrenceState.INTERRUPTED, detail=detail), now, messages
        )

    def running(self) -> list[RecordedOccurrence]:
        """What runs now, or is not yet known to have died."""
        return self._select(occurrences.c.state == OccurrenceState.RUNNING.value, 10_000)

    def history(
        self,
        schedule: str | None = None,
        limit: int = 100,
        state: OccurrenceState | None = None,
        offset: int = 0,
        total: int = 0,
    ) -> list[RecordedOccurrence]:
        """The latest occurrences, newest first; `total`: how many there are, where the caller knows it.

        Then those of the older half are counted off from the oldest, for what is passed over is read as well.
        """
        of_schedule = sa.true() if schedule is None else occurrences.c.schedule == schedule
        in_state = sa.true() if state is None else occurrences.c.state == state.value
        condition, after = sa.and_(of_schedule, in_state), max(0, total - offset - limit)
        if offset <= after or offset >= total:
            return self._select(condition, limit, offset)
        oldest_first = self._select(condition, min(limit, total - offset), after, oldest_first=True)
        return oldest_first[::-1]

    def counts(self) -> dict[tuple[str, OccurrenceState], int]:
        """How many occurrences of each schedule are in each state."""
        query = sa.select(occurrences.c.schedule, occurrences.c.state, sa.func.count()).group_by(
            occurrences.c.schedule, occurrences.c.state
        )
        with self._database.reading() as connection:
            return {(row[0], OccurrenceState(row[1])): row[2] for row in connection.execute(query)}

    def skipped_since(self, schedule: str) -> tuple[int, datetime | None]:
        """How many occurrences in a row were skipped up to now, and when the first of them was planned."""
        of_schedule = occurrences.c.schedule == schedule
        skipped = occurrences.c.state == OccurrenceState.SKIPPED.value
        last = sa.select(sa.func.max(occurrences.c.planned_at)).where(of_schedule, ~skipped).scalar_subquery()
        query = sa.select(sa.func.count(), sa.func.min(occurrences.c.planned_at)).where(
            of_schedule, skipped, sa.or_(last.is_(None), occurrences.c.planned_at > last)
        )
        with self._database.reading() as connection:
            count, first = connection.execute(query).one()
        return count, first

    def since_pass(self) -> dict[str, int]:
        """By schedule, how many occurrences have ended since the last that passed, blackouts not counted."""
        passed = (
            sa.select(occurrences.c.schedule, sa.func.max(occurrences.c.planned_at).label("at"))
            .where(occurrences.c.state == OccurrenceState.RUN.value, occurrences.c.verdict == "pass")
            .group_by(occurrences.c.schedule)
            .subquery()
        )
        later = sa.or_(passed.c.at.is_(None), occurrences.c.planned_at > passed.c.at)
        ended = occurrences.c.state.not_in([OccurrenceState.RUNNING.value, OccurrenceState.SKIPPED.value])
        query = (
            sa.select(occurrences.c.schedule, sa.func.sum(sa.case((sa.and_(later, ended), 1), else_=0)))
            .outerjoin(passed, occurrences.c.schedule == passed.c.schedule)
            .group_by(occurrences.c.schedule)
        )
        with self._database.reading() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}

    def _end(
        self,
        condition: sa.ColumnElement[bool],
        ending: OccurrenceEnding,
        now: datetime,
        messages: Sequence[OutboxMessage],
    ) -> bool:
        values = {
            "state": ending.state.value,
            "ended_at": now,
            "run": ending.run,
            "verdict": ending.verdict,
            "detail": shown(ending.detail),
        }
        with self._database.writing() as connection:
            ended = connection.execute(sa.update(occurrences).where(condition).values(**values)).rowcount == 1
            if ended:
                self._outbox.add(connection, messages, now)
        return ended

    def _select(
        self, condition: sa.ColumnElement[bool], limit: int, offset: int = 0, *, oldest_first: bool = False
    ) -> list[RecordedOccurrence]:
        # An index alone tells which are meant, also where many come before; only those are then read.
        instant, schedule = occurrences.c.planned_at, occurrences.c.schedule
        order = (instant, schedule) if oldest_first else (instant.desc(), schedule.desc())
        key = (occurrences.c.schedule, occurrences.c.planned_at)
        meant = sa.select(*key).where(condition).order_by(*order).limit(limit).offset(offset).subquery()
        same = sa.and_(*(each == meant.c[each.name] for each in key))
        query = sa.select(occurrences).join(meant, same).order_by(*order)
        with self._database.reading() as connection:
            return [
                RecordedOccurrence(**{**row._mapping, "state": OccurrenceState(row.state)})
                for row in connection.execute(query)
            ]


def _row(occurrence: Occurrence, state: OccurrenceState, now: datetime) -> dict[str, Any]:
    return {
        "schedule": occurrence.schedule,
        "planned_at": occurrence.planned_at,
        "target": occurrence.target,
        "state": state.value,
        "due_at": occurrence.due_at,
        "claim": "",
        "daemon": "",
        "beat": 0,
        "claimed_at": now,
        "run": "",
        "verdict": "",
        "detail": "",
    }
