"""A replica in this process, and its HTTP without a socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.replica import PhysicalClock, Replica
from seatrial.testbed.replica.replication import Replication
from seatrial.testbed.replica.service import Service

EPOCH_S = 1_800_000_000.0


@dataclass
class RunningReplica:
    """A replica that carries out what it is asked."""

    replica: Replica
    log: OperationLog
    replication: Replication
    http: httpx.AsyncClient


@dataclass(frozen=True)
class Launch:
    """`async with launch("east", offset_s=5.0) as east`. It asks no peer, but answers one: west (or east)."""

    directory: Path

    @contextlib.asynccontextmanager
    async def __call__(
        self,
        region: str,
        offset_s: float = 0.0,
        client: str = "127.0.0.1",
        operators: frozenset[str] = frozenset(),
    ) -> AsyncIterator[RunningReplica]:
        log = OperationLog(self.directory / region, region)
        replica = Replica(log, region, PhysicalClock(offset_s, lambda: EPOCH_S), max_drift_s=30.0)
        peer = "west" if region == "east" else "east"
        replication = Replication.between(replica, log, {peer: "http://127.0.0.1:1"})
        application = Service(replica, log, replication, operators).application()
        working = asyncio.create_task(replica.run())
        transport = httpx.ASGITransport(app=application, client=(client, 1))
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://replica") as http:
                yield RunningReplica(replica, log, replication, http)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await replica.close()


def run_bounded(steps: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, which must come soon."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await steps

    asyncio.run(bounded())
