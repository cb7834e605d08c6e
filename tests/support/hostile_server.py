"""A server that misbehaves in every way of `tests.support.misbehaviour`, as a program of its own.

    python -m tests.support.hostile_server FOLDER

FOLDER holds the certificates (see `hostile`). It prints a JSON object of its ports, by listener, and serves
until its standard input ends; then it prints what it has counted. One thread and asyncio's protocols carry some
thousands of connections a second; nothing of ours is imported, so that it is up in a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import resource
import socket
import ssl
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from tests.support.misbehaviour import (
    APART,
    BEHAVIOURS,
    CERTIFICATES,
    EXPIRED,
    LISTENERS,
    PLAIN,
    TLS,
    UNKNOWN_CA,
    WRONG_NAME,
    Behaviour,
    Step,
    path_of,
)

AUTHORITY = "authority.pem"
_NAMES = {path_of(name).encode(): name for name in BEHAVIOURS}
_RESET = struct.pack("ii", 1, 0)
_BACKLOG, _AT_ONCE = 4096, 64  # connections that wait, and that are accepted in one turn of the loop
_PATIENCE_S, _LOOK_S = 10.0, 0.02


@dataclass(slots=True)
class Counts:
    """What has come in."""

    asked: Counter[str] = field(default_factory=Counter)
    crossed: int = 0
    connections: int = 0  # that are open
    failures: Counter[str] = field(default_factory=Counter)  # of its own

    def note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio says of a failure."""
        self.failures[f"{context['message']}: {context.get('exception')!r}"] += 1


class _Connection(asyncio.Protocol):
    """One connection. `always`: how it behaves whatever is sent; else the path says so."""

    def __init__(self, counts: Counts, always: str = "") -> None:
        self._counts = counts
        self._always = always
        self._transport: Any = None
        self._heard = b""
        self._behaviour: Behaviour | None = None
        self._left: Iterator[Step] = iter(())
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._counts.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.connections -= 1
        self._stop()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._always:
            self._begin(self._always, is_new=self._behaviour is None)  # a hello may come in pieces
        elif b"\r\n\r\n" in self._heard:
            name = _NAMES[self._heard.split(b" ", 2)[1]]
            self._heard = b""
            self._begin(name, is_new=True)

    def _begin(self, name: str, *, is_new: bool) -> None:
        self._counts.asked[name] += is_new
        if self._is_over:
            self._counts.crossed += 1
            return
        self._stop()
        self._behaviour = behaviour = BEHAVIOURS[name]
        self._left = itertools.cycle(behaviour.steps) if behaviour.endless else iter(behaviour.steps)
        self._go_on()

    def _go_on(self) -> None:
        for step in self._left:
            if isinstance(step, float):
                self._timer = asyncio.get_running_loop().call_later(step, self._go_on)
                return
            self._transport.write(step)
        assert self._behaviour is not None
        self._end(self._behaviour.then)

    def _end(self, then: str) -> None:
        if then == "close":
            self._transport.close()
        elif then == "reset":
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
        elif then == "half":
            self._is_over = True
            with contextlib.suppress(OSError):  # whoever has given up is not there to be told
                self._transport.write_eof()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def serve(folder: Path) -> None:
    """Until standard input ends."""
    loop, counts = asyncio.get_running_loop(), Counts()
    loop.set_exception_handler(counts.note)
    ports, servers = {}, []
    for where in LISTENERS:
        context = None
        if where in CERTIFICATES:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(folder / f"{where}.pem")
        always = "" if where in (PLAIN, APART, *CERTIFICATES) else where
        sock = socket.create_server(("127.0.0.1", 0))
        made = partial(_Connection, counts, always)
        servers.append(await loop.create_server(made, sock=sock, ssl=context, backlog=_AT_ONCE))
        sock.listen(_BACKLOG)
        ports[where] = sock.getsockname()[1]
    _say(ports)
    await loop.run_in_executor(None, sys.stdin.read)
    patience = int(_PATIENCE_S / _LOOK_S)
    while counts.connections and (patience := patience - 1):
        await asyncio.sleep(_LOOK_S)  # what was sent last is read as well
    # Who refuses a certificate asks for nothing.
    asked = {
        name: counts.asked[name] for name, each in BEHAVIOURS.items() if each.where not in CERTIFICATES[1:]
    }
    told = {"crossed": counts.crossed, "connections": counts.connections, "failures": counts.failures}
    _say({**told, "asked": asked})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Hostile:
    """One that runs. `authority`: the certificate of whom it is known by."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    authority: Path

    def counts(self) -> dict[str, Any]:
        """End it, for what it has counted."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        return cast("dict[str, Any]", json.loads(self.process.stdout.readline()))


@contextlib.contextmanager
def hostile(folder: Path) -> Iterator[Hostile]:
    """Start one in a process of its own; its certificates are made in `folder`."""
    from tests.support.certificates import Authority  # not in the server's own process

    known, unknown = Authority("known"), Authority("unknown")
    known.save(folder / AUTHORITY)
    known.issue(folder / f"{TLS}.pem", "127.0.0.1")
    unknown.issue(folder / f"{UNKNOWN_CA}.pem", "127.0.0.1")
    known.issue(folder / f"{WRONG_NAME}.pem", "elsewhere.test")
    known.issue(folder / f"{EXPIRED}.pem", "127.0.0.1", expired=True)
    command = [sys.executable, "-m", "tests.support.hostile_server", str(folder)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Hostile(process, json.loads(process.stdout.readline()), folder / AUTHORITY)
        finally:
            process.kill()


if __name__ == "__main__":
    _soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
    asyncio.run(serve(Path(sys.argv[1])))
