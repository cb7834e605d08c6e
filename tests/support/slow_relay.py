"""A way between a worker and its master that takes long, by another time each way, and loses packets.

It relays TCP, so a lost packet is what TCP makes of it: everything behind it waits until it was sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass

_AGAIN_AFTER_S = 0.2  # the shortest retransmission time-out of Linux


@dataclass(frozen=True, slots=True)
class Way:
    """Seconds there and back, how much either varies, and the share of pieces that are sent twice."""

    there_s: float
    back_s: float
    jitter_s: float
    loss: float


class SlowRelay:
    """Listens on `port` of this machine and leads to the master's. `cut` lets nothing through any more."""

    def __init__(self, master: int, way: Way, seed: int) -> None:
        self.port = 0
        self._master = master
        self._way = way
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._passes = asyncio.Event()
        self._listening = threading.Event()
        self._relaying: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the relay does not listen")

    def cut(self) -> None:
        """Hold whatever comes from now on."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def mend(self) -> None:
        """Let it through again."""
        self._loop.call_soon_threadsafe(self._passes.set)

    def close(self) -> None:
        """No more relaying; nothing is left open."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _work(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._over = asyncio.Event()
        self._passes.set()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._over.wait()
        server.close()
        for task in self._relaying:
            task.cancel()
        await asyncio.gather(*self._relaying)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relaying.add(task)
        writers = [writer]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._master)
            writers.append(back)
            ways = ((reader, back, self._way.there_s), (there, writer, self._way.back_s))
            await asyncio.gather(*(self._lead(*way) for way in ways))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.transport.abort()
            self._relaying.discard(task)

    async def _lead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length_s: float
    ) -> None:
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        sending = asyncio.ensure_future(self._send(held, writer))
        try:
            while data := await reader.read(65_536):
                takes_s = max(0.0, length_s + self._chance.uniform(-1, 1) * self._way.jitter_s)
                if self._chance.random() < self._way.loss:
                    takes_s += _AGAIN_AFTER_S
                await held.put((self._loop.time() + takes_s, data))
        finally:
            sending.cancel()
            writer.close()

    async def _send(self, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                at_s, data = await held.get()
                await asyncio.sleep(max(0.0, at_s - self._loop.time()))
                await self._passes.wait()
                writer.write(data)
                await writer.drain()


@contextlib.contextmanager
def relaying(master: int, way: Way, seed: int) -> Iterator[SlowRelay]:
    """A relay for as long as the block lasts."""
    relay = SlowRelay(master, way, seed)
    try:
        yield relay
    finally:
        relay.close()
