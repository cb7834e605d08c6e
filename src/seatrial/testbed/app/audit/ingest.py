"""Batches that arrive together are committed together: one transaction at a time in each process."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from seatrial.testbed.app.audit.groups import Batch, Outcome
from seatrial.testbed.app.connections import DatabaseAwayError

_LARGEST_GROUP = 2_000  # events: linking them takes some 5 ms, for which other requests wait
_MOST_WAITING = 50_000  # events


class Committing(Protocol):
    """What stores a group: all of it, or nothing."""

    async def commit(self, group: list[Batch]) -> tuple[Outcome, ...]:
        """The outcome of each batch. Raises DatabaseAwayError: nobody knows."""


class Ingest:
    """A bounded queue before the store."""

    def __init__(self, store: Committing, patience_s: float = 5.0, most_waiting: int = _MOST_WAITING) -> None:
        """`patience_s`: how long an answer waits. `most_waiting`: events not committed yet."""
        self._store = store
        self._patience_s = patience_s
        self._most_waiting = most_waiting
        self._queue: deque[tuple[Batch, asyncio.Future[Outcome]]] = deque()
        self._waiting = 0
        self._committing: asyncio.Task[None] | None = None

    async def add(self, batch: Batch) -> Outcome:
        """Store `batch`. Raises DatabaseAwayError: it may be stored, or come to be.

        As for orders, a commit that takes too long is given up by its answers but not cancelled.
        """
        if self._waiting + len(batch.events) > self._most_waiting:
            raise DatabaseAwayError("too many events wait to be stored")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((batch, outcome))
        self._waiting += len(batch.events)
        if self._committing is None:
            self._committing = asyncio.ensure_future(self._commit_all())
        done, _ = await asyncio.wait((outcome,), timeout=self._patience_s)
        if not done:
            outcome.cancel()
            raise DatabaseAwayError("the standby has not confirmed in time")
        return outcome.result()

    async def _commit_all(self) -> None:
        try:
            while self._queue:
                await self._commit(self._next_group())
        finally:
            self._committing = None

    def _next_group(self) -> list[tuple[Batch, asyncio.Future[Outcome]]]:
        group = [self._queue.popleft()]
        events = len(group[0][0].events)
        while self._queue and events + len(self._queue[0][0].events) <= _LARGEST_GROUP:
            group.append(self._queue.popleft())
            events += len(group[-1][0].events)
        return group

    async def _commit(self, group: list[tuple[Batch, asyncio.Future[Outcome]]]) -> None:
        try:
            outcomes = await self._store.commit([batch for batch, _ in group])
        except Exception as error:  # whatever it was, nobody may wait for it for ever
            failure = error if isinstance(error, DatabaseAwayError) else DatabaseAwayError(repr(error))
            for _, waiting in group:
                if not waiting.done():
                    waiting.set_exception(failure)
        else:
            for (_, waiting), outcome in zip(group, outcomes, strict=True):
                if not waiting.done():
                    waiting.set_result(outcome)
        finally:
            self._waiting -= sum(len(batch.events) for batch, _ in group)
