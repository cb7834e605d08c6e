"""Options of Locust that let several tests run it at once."""

from __future__ import annotations

from tests.support.listeners import free_port


def two_processes() -> list[str]:
    """Two workers, and a master that listens to them alone: Locust's own port is one for the machine."""
    port = str(free_port())
    return [
        "--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port,
    ]  # fmt: skip
