"""A service with a weakness that is known: a front, four small programs behind it, and one thing that is wrong.

    python planted.py front PORT WEAKNESS PORT_OF_ALPHA PORT_OF_BETA …      python planted.py behind PORT PIDFILE

| weakness       | it fails when                                                        | and not by              |
|----------------|----------------------------------------------------------------------|-------------------------|
| both-away      | alpha and beta are away at one time                                   | either alone            |
| long-pause     | gamma is silent for more than 300 ms                                  | a shorter pause, a kill |
| after-return   | beta is away within 400 ms of alpha's return                          | either alone, beta first|
| leak           | delta is another process than before: a second later it is slow       | a pause                 |
| retry-storm    | gamma is silent while three times the traffic comes                   | either alone            |

Whatever state that takes is forgotten within two seconds, so that no run spoils the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("alpha", "beta", "gamma", "delta")
WEAKNESSES = ("both-away", "long-pause", "after-return", "leak", "retry-storm")
_ASKED_EVERY_S = 0.02
_SILENT_AFTER_S = 0.1  # a machine that is busy keeps a program waiting for half of that


@dataclass
class Seen:
    """What the front knows of a program behind it. Instants are of the monotonic clock."""

    port: int
    answered_s: float = 0.0
    refused_s: float = 0.0
    away_since_s: float = 0.0  # 0: it is not away
    back_s: float = 0.0
    pid: str = ""
    other_s: float = 0.0  # since when it is another process than at the beginning

    @property
    def away(self) -> bool:
        return self.away_since_s > 0.0

    @property
    def silent_s(self) -> float:
        """How long it has taken connections and answered nothing."""
        now = time.monotonic()
        return now - self.away_since_s if self.away and self.refused_s < self.away_since_s else 0.0

    async def watch(self) -> None:
        """Ask it again and again."""
        while True:
            begun = time.monotonic()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    pid = (await asyncio.wait_for(reader.readline(), _SILENT_AFTER_S)).decode()
                finally:
                    writer.close()
                if not pid:
                    raise ConnectionError
                self._answered(pid)
            except TimeoutError:
                self.away_since_s = self.away_since_s or begun
            except OSError:
                self.refused_s = time.monotonic()
                self.away_since_s = self.away_since_s or begun
            await asyncio.sleep(_ASKED_EVERY_S)

    def _answered(self, pid: str) -> None:
        now = time.monotonic()
        if self.away:
            self.back_s, self.away_since_s = now, 0.0
        if self.pid and pid != self.pid:
            self.other_s = now
        self.pid, self.answered_s = pid, now


@dataclass
class Front:
    """What is asked from outside. `broken_until_s`: until when it answers with an error."""

    weakness: str
    behind: dict[str, Seen]
    broken_until_s: float = 0.0
    asked_s: deque[float] = field(default_factory=deque)
    _rules: dict[str, Callable[[float], float]] = field(init=False)

    def __post_init__(self) -> None:
        self._rules = {name: getattr(self, name.replace("-", "_"), self.none) for name in WEAKNESSES}

    def none(self, _now: float) -> float:
        return 0.0

    def both_away(self, _now: float) -> float:
        return 0.6 if self.behind["alpha"].away and self.behind["beta"].away else 0.0

    def long_pause(self, _now: float) -> float:
        return 0.7 if self.behind["gamma"].silent_s > 0.3 else 0.0

    def after_return(self, now: float) -> float:
        alpha, beta = self.behind["alpha"], self.behind["beta"]
        return 0.7 if alpha.back_s and not alpha.away and now - alpha.back_s < 0.4 and beta.away else 0.0

    def leak(self, now: float) -> float:
        other_s = self.behind["delta"].other_s
        return 0.2 if other_s and 0.5 < now - other_s < 1.2 else 0.0

    def retry_storm(self, now: float) -> float:
        self.asked_s.append(now)  # 12 in that time when nothing is the matter
        while self.asked_s[0] < now - 0.24:
            self.asked_s.popleft()
        return 0.9 if len(self.asked_s) > 24 and self.behind["gamma"].silent_s else 0.0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                now = time.monotonic()
                if broken_s := self._rules.get(self.weakness, self.none)(now):
                    self.broken_until_s = now + broken_s
                status = "503 Unavailable" if now < self.broken_until_s else "200 OK"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()


async def serve(port: int, answer: Callable[..., Awaitable[None]]) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


async def front(port: int, weakness: str, ports: list[int]) -> None:
    seen = {name: Seen(each) for name, each in zip(NAMES, ports, strict=True)}
    watching = [asyncio.create_task(each.watch()) for each in seen.values()]
    await serve(port, Front(weakness, seen).answer)
    del watching


async def behind(port: int, pidfile: Path) -> None:
    async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{os.getpid()}\n".encode())
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    pidfile.write_text(f"{os.getpid()}\n")
    await serve(port, tell)


OBJECTIVES = """\
experiment: planted
load: {scenario: visitor.py, rate: 50/s, deadline: 500ms}
warmup: 300ms
duration: 2.4s
settle: 100ms
objectives:
  errors: {max: 5%}
"""
SCENARIO = """\
from locust import FastHttpUser, task
class Visitor(FastHttpUser):
    @task
    def home(self):
        self.client.get("/")
"""


@dataclass(frozen=True)
class Planted:
    """The files of an exploration of such a service."""

    directory: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """For the command: its own state, and nobody to tell of incidents."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}
        return {**kept, "SEATRIAL_HOME": str(self.directory / "home"), "COLUMNS": "160"}

    @property
    def command(self) -> list[str]:
        """Explore it."""
        return [
            sys.executable, "-m", "seatrial", "explore",
            "--target", "target.yaml", "--objectives", "planted.yaml", "--json",
        ]  # fmt: skip

    def pids(self) -> list[int]:
        """The programs behind the front, as they run now."""
        return [int((self.directory / f"{name}.pid").read_text()) for name in NAMES]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextlib.contextmanager
def planted(directory: Path, weakness: str) -> Iterator[Planted]:
    """The service in `directory`, with a weakness of `WEAKNESSES` or none."""
    port, *ports = _free_ports(1 + len(NAMES))
    program = [sys.executable, "-S", "-E", str(Path(__file__).resolve())]
    starts = {
        name: [*program, "behind", str(each), f"{name}.pid"] for name, each in zip(NAMES, ports, strict=True)
    }
    roles = "".join(
        f"  {name}: {{driver: process, pidfile: {name}.pid, start: {start!r}}}\n"
        for name, start in starts.items()
    )
    (directory / "target.yaml").write_text(
        f"target: planted\nbase_url: http://127.0.0.1:{port}\nallow: [127.0.0.1]\nroles:\n{roles}"
    )
    (directory / "planted.yaml").write_text(OBJECTIVES)
    (directory / "visitor.py").write_text(SCENARIO)
    commands = [*starts.values(), [*program, "front", str(port), weakness, *map(str, ports)]]
    started = [subprocess.Popen(each, cwd=directory, start_new_session=True) for each in commands]
    try:
        for each in (port, *ports):
            _await(each)
        yield Planted(directory, f"http://127.0.0.1:{port}")
    finally:
        for process in started:
            process.kill()
            process.wait()
        for name in NAMES:  # those that were killed and started again are nobody's children
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((directory / f"{name}.pid").read_text()), 9)


def _await(port: int) -> None:
    until = time.monotonic() + 20.0
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens at {port}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["front", port_, weakness_, *ports_]:
            asyncio.run(front(int(port_), weakness_, [int(each) for each in ports_]))
        case ["behind", port_, pidfile_]:
            asyncio.run(behind(int(port_), Path(pidfile_)))
