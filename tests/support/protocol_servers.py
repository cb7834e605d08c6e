"""Real servers of several protocols, which can be stalled, killed and started again on the same port."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil
from tests.support.listeners import free_port
from tests.support.postgres import Database
from tests.support.waiting import wait_until

from seatrial.testbed import programs

_ANSWERING = Path(__file__).with_name("answering_servers.py")


@dataclass
class Server:
    """A server on a port of the loopback, for as long as the context lasts."""

    command: list[str]
    port: int
    address: str  # as a client is told it
    serves: Callable[[], bool] = field(default=lambda: True)  # beyond taking connections
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self.process is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(lambda: self.listens() and self.serves(), what=f"{self.command[0]} serves")

    def listens(self) -> bool:
        """Whether a connection is taken."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
            return True
        return False

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """Meanwhile none of its processes runs, and all connections stay."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would; it is gone when this returns."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        parent = psutil.Process(self.process.pid)
        for each in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(number)


def answering(protocol: str, address: str) -> Server:
    """One of those that `answering_servers.py` brings; `address` has a place for host and port."""
    port = free_port()
    return Server([sys.executable, str(_ANSWERING), protocol, str(port)], port, address.format(_at(port)))


def valkey(directory: Path) -> Server:
    """A cache that keeps nothing on the disk."""
    port, quiet = free_port(), ["--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    command = [str(programs.find().valkey), "--port", str(port), *quiet]
    return Server(command, port, f"redis://{_at(port)}/0")


def database(directory: Path) -> Server:
    """PostgreSQL, which serves already, with the table that customers order in."""
    found = Database(directory, connections=200)
    server = Server(found.command, found.port, found.url, found.serves)
    server.start()
    with found.connect() as connection:
        connection.execute("CREATE TABLE orders (key uuid PRIMARY KEY, quantity integer NOT NULL)")
    return server


def mosquitto() -> Server | None:
    """Debian's MQTT broker, for this machine alone; None where it is not installed."""
    program, port = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin"), free_port()
    return Server([program, "-p", str(port)], port, f"mqtt://{_at(port)}") if program else None


def _at(port: int) -> str:
    return f"127.0.0.1:{port}"
