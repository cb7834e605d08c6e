"""Two real replica processes with a line between them that can be cut, and clients that write to both.

    client ──► east ══► [Line] ══► west ◄── client        each asks the other through the line

One trial: both regions write, the line is cut, they go on writing to the same things with clocks that are up to
five seconds off and change on the way, in some trials one of them is killed and started again; then the line
is mended, and the time until both hold the same bytes is measured. What is left is judged by the check.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
from tests.support.regions import MAX_DRIFT_S, random_write

from seatrial.checks.convergence import Attempt, Outcome, judge_replicas
from seatrial.checks.replicas import Recording
from seatrial.lookups.replicas import record
from seatrial.model.role import Role
from seatrial.testbed.ports import free
from seatrial.testbed.replica.operation import Kind

HOST = "127.0.0.1"
_START_WITHIN_S = 20.0
_CONVERGE_WITHIN_S = 30.0
_SKEW_S = 5.0


@dataclass(frozen=True)
class Trial:
    """One trial. `rate`: writes per second and region."""

    seed: int
    partition_s: float
    rate: float = 40.0
    kill: bool = False  # one of the regions, in the middle of the partition


@dataclass(frozen=True)
class Result:
    """What came of a trial. `wrong` is empty when nothing was."""

    trial: Trial
    converged: bool
    converged_after_s: float  # after the line was mended
    backlog: int  # operations that waited for the line
    wrong: str
    figures: dict[str, float]


class Line:
    """A TCP relay. Cut, it takes in everything and passes on nothing, as a network that drops packets."""

    def __init__(self, port: int) -> None:
        self.to = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        try:
            there, back = await asyncio.open_connection(HOST, self.to)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        finally:
            back.close()
            writer.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@dataclass
class Site:
    """One replica process."""

    region: str
    port: int
    peer: str
    data: Path
    offset_s: float
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "seatrial.testbed.replica", "--region", self.region, "--port", str(self.port),
            "--peer", self.peer, "--data", str(self.data), "--clock-offset", str(self.offset_s),
            "--max-drift", str(MAX_DRIFT_S),
        ]  # fmt: skip
        with (self.data.parent / f"{self.region}.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | {"PYTHONWARNINGS": "error"}, stderr=log)

    async def ready(self, client: httpx.AsyncClient) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{self.url}/healthz")).is_success:
                    return
            assert self.process is not None
            assert self.process.poll() is None, f"{self.region} ended by itself"
            assert time.monotonic() < deadline, f"{self.region} does not answer"
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Clients:
    """People who write in both regions, and remember what they were told."""

    client: httpx.AsyncClient
    sites: tuple[Site, Site]
    chance: random.Random
    rate: float
    attempts: list[Attempt] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=count)

    async def write_on(self, site: Site, ended: asyncio.Event) -> None:
        """Write in one region until the end, each write when it is due, whatever became of those before."""
        due_s = time.monotonic()
        async with asyncio.TaskGroup() as writes:
            while not ended.is_set():
                writes.create_task(self._write(site))
                due_s += 1 / self.rate
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _write(self, site: Site) -> None:
        kind, tenant, name, value = random_write(self.chance)
        key = f"k-{next(self.keys)}"
        read, token = await self._read(tenant, name) if self.chance.random() < 0.3 else ("", "")
        headers = {"Idempotency-Key": key} | ({"X-Causal-Token": token} if token else {})
        outcome = await self._send(site, kind, f"{tenant}/{name}", value, headers)
        if outcome == "indeterminate" or self.chance.random() < 0.1:
            again = await self._send(site, kind, f"{tenant}/{name}", value, headers)
            outcome = again if outcome == "indeterminate" and again == "acknowledged" else outcome
        self.attempts.append(Attempt(key, kind, tenant, name, str(value), outcome, (read,) if read else ()))

    async def _read(self, tenant: str, name: str) -> tuple[str, str]:
        """Which write a setting comes from, in either region, and the token that says when."""
        try:
            answer = await self.client.get(f"{self.chance.choice(self.sites).url}/settings/{tenant}/{name}")
        except httpx.TransportError:
            return "", ""
        return (answer.json()["key"], answer.headers["X-Causal-Token"]) if answer.is_success else ("", "")

    async def _send(
        self, site: Site, kind: Kind, item: str, value: str | int, headers: dict[str, str]
    ) -> Outcome:
        try:
            match kind:
                case Kind.PUT:
                    answer = await self.client.put(
                        f"{site.url}/settings/{item}", json={"value": value}, headers=headers
                    )
                case Kind.COUNT:
                    answer = await self.client.post(
                        f"{site.url}/counters/{item}", json={"add": value}, headers=headers
                    )
                case Kind.ADD:
                    answer = await self.client.put(f"{site.url}/sets/{item}/{value}", headers=headers)
                case Kind.REMOVE:
                    answer = await self.client.delete(f"{site.url}/sets/{item}/{value}", headers=headers)
        except httpx.TransportError:
            return "indeterminate"
        if answer.is_success:
            return "acknowledged"
        return "indeterminate" if answer.status_code >= 500 else "refused"


@contextlib.asynccontextmanager
async def pair(
    directory: Path,
    to_east: Line | None = None,
    to_west: Line | None = None,
    skew_s: tuple[float, float] = (0, 0),
) -> AsyncIterator[tuple[Site, Site, httpx.AsyncClient]]:
    """East and west in service, joined directly or by open lines, and a client. Leaves no process behind."""
    ports = free(HOST, random.Random())
    east_port = to_east.to if to_east else next(ports)
    west_port = to_west.to if to_west else next(ports)
    east_address = f"http://{HOST}:{to_east.port if to_east else east_port}"
    west_address = f"http://{HOST}:{to_west.port if to_west else west_port}"
    east = Site("east", east_port, f"west={west_address}", directory / "east", skew_s[0])
    west = Site("west", west_port, f"east={east_address}", directory / "west", skew_s[1])
    async with httpx.AsyncClient(timeout=httpx.Timeout(5.0, pool=None), trust_env=False) as client:
        try:
            for site in (east, west):
                site.start()
            for site in (east, west):
                await site.ready(client)
            yield east, west, client
        finally:
            for site in (east, west):
                site.close()


def role_of(sites: tuple[Site, Site]) -> Role:
    """The role through which both are recorded."""
    urls = {site.region: site.url for site in sites}
    return Role("regions", "replicas", {"replicas": urls}, ("127.0.0.0/8",), ".")


async def run_trial(directory: Path, trial: Trial) -> Result:
    """One trial, on real processes."""
    directory.mkdir(parents=True)
    chance = random.Random(trial.seed)
    ports = free(HOST, random.Random())
    skew_s = chance.uniform(0, _SKEW_S), chance.uniform(-_SKEW_S, 0)
    lines = Line(next(ports)), Line(next(ports))
    async with (
        lines[0].open(),
        lines[1].open(),
        pair(directory, *lines, skew_s) as (east, west, client),
    ):
        return await _write_while_apart(trial, chance, lines, (east, west), client)


async def _write_while_apart(
    trial: Trial,
    chance: random.Random,
    lines: tuple[Line, Line],
    sites: tuple[Site, Site],
    client: httpx.AsyncClient,
) -> Result:
    clients = Clients(client, sites, chance, trial.rate)
    ended = asyncio.Event()
    async with asyncio.TaskGroup() as writing:
        for site in sites:
            writing.create_task(clients.write_on(site, ended))
        await asyncio.sleep(0.3)  # of peace
        for line in lines:
            line.cut()
        await asyncio.sleep(trial.partition_s / 2)
        for site in sites:
            site.offset_s = chance.uniform(-_SKEW_S, _SKEW_S)
            await client.post(f"{site.url}/admin/clock", json={"offset_s": site.offset_s})
        if trial.kill:
            victim = chance.choice(sites)
            victim.kill()
            victim.start()
            await victim.ready(client)
        await asyncio.sleep(trial.partition_s / 2)
        ended.set()
    backlog = sum([await _behind(client, site) for site in sites])
    for line in lines:
        line.mend()
    after_s = await _converge(client, sites)
    recording = Recording.parse(await asyncio.to_thread(record, role_of(sites)))
    findings = judge_replicas(recording, clients.attempts, MAX_DRIFT_S)
    converged = after_s is not None
    return Result(trial, converged, after_s or _CONVERGE_WITHIN_S, backlog, str(findings), findings.figures)


async def _behind(client: httpx.AsyncClient, site: Site) -> int:
    peers = (await client.get(f"{site.url}/replication")).json()["peers"]
    return sum(peer["sent"]["behind_operations"] for peer in peers.values())


async def _converge(client: httpx.AsyncClient, sites: tuple[Site, Site]) -> float | None:
    """Seconds from now until both serve the same bytes; None: not within reason."""
    started_s = time.monotonic()
    while (waited_s := time.monotonic() - started_s) < _CONVERGE_WITHIN_S:
        states = [(await client.get(f"{site.url}/state")).content for site in sites]
        if states[0] == states[1]:
            return waited_s
        await asyncio.sleep(0.01)
    return None


async def run_campaign(directory: Path, trials: list[Trial], side_by_side: int) -> list[Result]:
    """All trials, some at a time."""
    places = asyncio.Semaphore(side_by_side)

    async def run_one(trial: Trial) -> Result:
        async with places:
            return await run_trial(directory / str(trial.seed), trial)

    return list(await asyncio.gather(*(run_one(trial) for trial in trials)))
