"""Between regions: each replica asks each peer for the peer's own operations behind those that it has.

    GET /replication/operations?by=west&after=1042  →  {"operations": [...], "issued": 1500}

What is asked for follows from what is on the asker's disk, so replication resumes after any crash, break or
restart without further state, and a batch that arrives twice does nothing the second time. One batch is in
flight at a time and its size is bounded: a peer that was away for long is caught up with at constant memory.
The asked one learns from `after` what the asker has, and so knows how far behind it is, also while cut off.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.operation import Operation
from seatrial.testbed.replica.replica import Replica, StorageError

_log = logging.getLogger(__name__)
BATCH = 500
_POLL_S = 0.5  # how long a question waits for something new
_CONNECT_WITHIN_S = 0.5
_ANSWER_WITHIN_S = 2.0  # beyond _POLL_S; then the connection is given up: TCP alone might wait for minutes
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5


class PausedError(Exception):
    """Replication is paused here."""


class _LinkError(Exception):
    """A question to a peer came to nothing."""


@dataclass(slots=True)
class Link:
    """What this replica gets from a peer, and what the peer is known to have got from here."""

    url: str
    peer_issued: int | None = None  # as of the last answer
    answered_s: float | None = None  # monotonic instant of the last answer
    trouble: str = ""  # why nothing comes at the moment
    acknowledged: int | None = None  # up to where the peer has this region's operations on its disk


@dataclass(slots=True)
class Replication:
    """All links of one replica. `run` keeps asking; `offer` answers the peers."""

    replica: Replica
    log: OperationLog
    links: dict[str, Link]
    running: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def between(cls, replica: Replica, log: OperationLog, peers: Mapping[str, str]) -> Replication:
        """`peers`: region → URL. Not paused."""
        replication = cls(replica, log, {region: Link(url) for region, url in peers.items()})
        replication.running.set()
        return replication

    def pause(self, paused: bool) -> None:
        """Neither ask nor answer, as if cut off; or go on."""
        if paused:
            self.running.clear()
        else:
            self.running.set()

    async def offer(self, by: str, after: int, wait_s: float = _POLL_S) -> bytes:
        """The answer to a peer: a batch of this region's operations behind `after`, once there are any.

        Raises PausedError; KeyError when `by` is no peer.
        """
        self._require_running()
        link = self.links[by]
        link.acknowledged = after
        await self.replica.beyond(after, wait_s)
        texts = await self.replica.read_log(self.log.since, self.replica.region, after, BATCH)
        self._require_running()
        return f'{{"issued":{self.replica.issued},"operations":[{",".join(texts)}]}}'.encode()

    def _require_running(self) -> None:
        if not self.running.is_set():
            raise PausedError("replication is paused here")

    async def run(self) -> None:
        """Keep asking every peer, until cancelled."""
        timeout = httpx.Timeout(_POLL_S + _ANSWER_WITHIN_S, connect=_CONNECT_WITHIN_S)
        async with (
            httpx.AsyncClient(timeout=timeout, trust_env=False) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for region, link in self.links.items():
                tasks.create_task(self._follow(client, region, link))

    async def _follow(self, client: httpx.AsyncClient, region: str, link: Link) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            await self.running.wait()
            try:
                link_trouble = await self._ask(client, region, link)
            except (_LinkError, StorageError) as error:
                link_trouble = str(error)
            if link_trouble and not link.trouble:
                _log.warning("nothing comes from %s: %s", region, link_trouble)
            link.trouble = link_trouble
            if link_trouble:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                pause_s = _FIRST_PAUSE_S

    async def _ask(self, client: httpx.AsyncClient, region: str, link: Link) -> str:
        """One question, and its answer taken in; why not all of it could be."""
        have = self.replica.frontier.vector.get(region, 0)
        try:
            answer = await client.get(
                f"{link.url}/replication/operations", params={"by": self.replica.region, "after": have}
            )
            if not answer.is_success:
                raise _LinkError(f"{link.url} answers {answer.status_code}")
            content = answer.json()
            issued = int(content["issued"])
            operations = [Operation.from_plain(plain) for plain in content["operations"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise _LinkError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        if not self.running.is_set():
            return "paused"
        if issued < have:
            return f"{region} has issued {issued} operations and {have} of them are here: it lost its log"
        if any(each.dot.origin != region for each in operations):
            return f"{link.url} is not {region}"
        held = await self.replica.take_in(operations)
        link.peer_issued, link.answered_s = issued, time.monotonic()
        return held

    def silences(self) -> list[tuple[str, float]]:
        """For how many seconds each peer has told nothing; of one that never did, nothing is said."""
        now_s = time.monotonic()
        return [
            (region, now_s - link.answered_s)
            for region, link in self.links.items()
            if link.answered_s is not None
        ]

    async def status(self) -> dict[str, Any]:
        """How far each region is behind the other.

        `sent.behind_s`: age of the oldest operation that the peer has not confirmed. Null: never heard of.
        """
        return {
            "region": self.replica.region,
            "paused": not self.running.is_set(),
            "issued": self.replica.issued,
            "peers": {region: await self._link_status(region, link) for region, link in self.links.items()},
        }

    async def _link_status(self, region: str, link: Link) -> dict[str, Any]:
        issued, has = self.replica.issued, link.acknowledged or 0
        oldest = await self.replica.read_log(self.log.recorded_unix_s, self.replica.region, has + 1)
        have = self.replica.frontier.vector.get(region, 0)
        return {
            "url": link.url,
            "sent": {
                "acknowledged": link.acknowledged,
                "behind_operations": issued - has,
                "behind_s": max(0.0, self.replica.clock.now() - oldest) if oldest is not None else 0.0,
            },
            "received": {
                "operations": have,
                "behind_operations": None if link.peer_issued is None else max(0, link.peer_issued - have),
                "answered_s_ago": None if link.answered_s is None else time.monotonic() - link.answered_s,
                "trouble": link.trouble,
            },
        }
