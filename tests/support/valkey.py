"""A Valkey server of our own, on a free port of the loopback."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis
from tests.support.waiting import wait_until

from seatrial.testbed import programs


@contextlib.contextmanager
def valkey(directory: Path, password: str = "") -> Iterator[int]:
    """Its port, while it serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    directory.mkdir(parents=True, exist_ok=True)
    command = [str(programs.find().valkey), "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    command += ["--dir", str(directory), *(["--requirepass", password] if password else [])]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port, password=password or None)

    def serves() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    try:
        wait_until(serves, what="valkey serves")
        yield port
    finally:
        client.close()
        server.kill()
        server.wait()
