"""A replica at work: durable first, then visible, then acknowledged.

Everything that changes a replica passes through one place, a batch at a time: local writes that are waiting
together share one commit, and a peer's batch is one. While the disk works, readers see the state before. So
nobody is ever shown, or told of, an operation that a crash could take back.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from seatrial.testbed.replica.hlc import DriftError
from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.operation import Intent, Operation
from seatrial.testbed.replica.ordering import Frontier, admissible
from seatrial.testbed.replica.state import ReplicaState

_MOST_WAITING = 1_024
_BATCH = 256
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class BusyError(Exception):
    """It cannot be done now and has not been done: too much is waiting, or the clock is wrong."""


class StorageError(Exception):
    """The disk failed; whether the write is on it is not known."""


class KeyReusedError(Exception):
    """The key belongs to another write."""


@dataclass(slots=True)
class PhysicalClock:
    """Seconds of the Unix epoch, wrong by `offset_s` on purpose."""

    offset_s: float = 0.0
    now: Callable[[], float] = time.time

    def read_us(self) -> int:
        """Microseconds."""
        return round((self.now() + self.offset_s) * 1e6)


@dataclass(frozen=True, slots=True)
class Done:
    """A write that is on disk. `repeated`: it had been before."""

    operation: Operation
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Waiting:
    intent: Intent
    done: asyncio.Future[Done]


class Replica:
    """One region's copy of the data. Use it from one event loop, with `run` going on there."""

    def __init__(self, log: OperationLog, region: str, clock: PhysicalClock, max_drift_s: float) -> None:
        """Reads the whole log. Raises sqlite3.Error, ValueError when it is damaged."""
        self.region = region
        self.clock = clock
        self.state = ReplicaState()
        self.frontier = Frontier({})
        self._log = log
        self._max_drift_us = round(max_drift_s * 1e6)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="operation-log")
        self._turn = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._called = asyncio.Event()
        self._grown = asyncio.Event()
        for operation in log.all():
            self._show(operation)

    @property
    def issued(self) -> int:
        """How many operations this region has issued."""
        return self.frontier.vector.get(self.region, 0)

    async def carry_out(self, intent: Intent) -> Done:
        """Do what a client asks. Raises BusyError, KeyReusedError, StorageError."""
        if len(self._waiting) >= _MOST_WAITING:
            raise BusyError("too many writes are waiting for the disk")
        waiting = _Waiting(intent, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._called.set()
        return await waiting.done

    async def take_in(self, batch: Sequence[Operation]) -> str:
        """Take in a peer's operations as far as they may come now, and say why the rest may not.

        Raises StorageError.
        """
        async with self._turn:
            admission = admissible(self.frontier, batch, self.clock.read_us(), self._max_drift_us)
            if admission.operations:
                await self._record(admission.operations)
            return admission.held

    async def run(self) -> None:
        """Carry out what is waiting, until cancelled."""
        while True:
            await self._called.wait()
            self._called.clear()
            while self._waiting:
                async with self._turn:
                    batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                    await self._commit(batch)

    async def beyond(self, number: int, within_s: float) -> None:
        """Wait until this region has issued more than `number` operations, or the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.issued <= number:
                    await self._grown.wait()

    async def read_log(
        self, read: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """The result of one of the log's reading methods."""
        call = partial(read, *arguments, **named)
        return await asyncio.get_running_loop().run_in_executor(self._disk, call)

    async def close(self) -> None:
        """Close the log, once what it is at has ended."""
        await self.read_log(self._log.close)
        self._disk.shutdown()

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Answer every one of `batch`, whatever happens."""
        try:
            answers = await self.read_log(self._issue, [each.intent for each in batch])
            fresh = [each.operation for each in answers if isinstance(each, Done) and not each.repeated]
            if fresh:
                await self._record(fresh)
        except (
            Exception
        ) as error:  # it is told to every client that waits; none may be left without an answer
            answers = [error] * len(batch)
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.done.done():
                continue  # its client has left
            if isinstance(answer, Done):
                waiting.done.set_result(answer)
            else:
                waiting.done.set_exception(answer)

    def _issue(self, intents: Sequence[Intent]) -> list[Done | Exception]:
        """What becomes of each intent, in order. Nothing has happened yet. Runs in the log's thread."""
        frontier = self.frontier
        answers: list[Done | Exception] = []
        issued: dict[str, Operation] = {}
        for intent in intents:
            known = issued.get(intent.key) or self._log.find(self.region, intent.key)
            if known:
                same = known.does(intent)
                answers.append(
                    Done(known, repeated=True) if same else KeyReusedError(f"{intent.key} is another write's")
                )
                continue
            try:
                physical_us = self.clock.read_us()
                operation = frontier.issue(self.region, intent, physical_us, self._max_drift_us)
            except DriftError as error:
                answers.append(BusyError(str(error)))
                continue
            issued[intent.key] = operation
            frontier = frontier.after(operation)
            answers.append(Done(operation, repeated=False))
        return answers

    async def _record(self, operations: Sequence[Operation]) -> None:
        try:
            await self.read_log(self._log.append, operations, self.clock.now())
        except sqlite3.Error as error:
            raise StorageError(f"the operation log failed: {error}") from error
        for operation in operations:
            self._show(operation)
        self._grown.set()
        self._grown = asyncio.Event()

    def _show(self, operation: Operation) -> None:
        self.state.apply(operation)
        self.frontier = self.frontier.after(operation)
