"""The same small program in three places: on this machine, at another one by SSH, in a container.

What it does is looked at from outside, and never by the driver that is tested.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.support.podman import Podman, needs_podman
from tests.support.ssh_server import ALLOW, SshServer, needs_ssh
from tests.support.victims import end
from tests.support.waiting import wait_until

from seatrial.model.role import Role
from seatrial.processes import from_pidfile

PLACES = ("here", pytest.param("ssh", marks=needs_ssh), pytest.param("container", marks=needs_podman))
elsewhere = pytest.mark.parametrize("victim", PLACES[1:], indirect=True)
everywhere = pytest.mark.parametrize("victim", PLACES, indirect=True)

_PROGRAM = "echo $$ >worker.pid; while :; do echo tick >>ticks; sleep 0.02; done"
_CONTAINED = "while :; do echo tick; busybox sleep 0.02; done"


class Ticking(Protocol):
    """A program that ticks."""

    role: Role

    def ticks(self) -> int:
        """How often it has said that it runs."""

    def end(self) -> None:
        """Kill it, from outside."""

    def close(self) -> None:
        """Leave nothing behind."""


@dataclass
class OnMachine:
    """Its number is in a pidfile, and it writes to a file."""

    directory: Path
    driver: str
    binding: dict[str, Any]
    role: Role = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        program = ["sh", "-c", f"cd {self.directory}; {_PROGRAM}"]
        parameters = {**self.binding, "pidfile": str(self.directory / "worker.pid"), "start": program}
        self.role = Role("worker", self.driver, parameters, ALLOW, str(self.directory))
        subprocess.run(["setsid", "--fork", *program], check=True)
        wait_until((self.directory / "ticks").exists, what="it runs")

    def ticks(self) -> int:
        return (self.directory / "ticks").read_text().count("tick")

    def end(self) -> None:
        end(list(from_pidfile(self.directory / "worker.pid")))

    close = end


@dataclass
class Contained:
    """It writes to the container's log."""

    engine: Podman
    role: Role = field(init=False)

    def __post_init__(self) -> None:
        self._name = self.engine.start("sh", "-c", _CONTAINED)
        self.role = self.engine.role(self._name)
        wait_until(self.ticks, what="it runs")

    def ticks(self) -> int:
        return self.engine.run("logs", self._name).count("tick")

    def end(self) -> None:
        self.engine.run("kill", self._name)

    def close(self) -> None:
        self.engine.run("rm", "--force", "--time", "0", self._name)


def stands_still(victim: Ticking) -> bool:
    """Whether it says nothing for as long as it would say ten words."""
    before = victim.ticks()
    try:
        wait_until(lambda: victim.ticks() > before, within_s=0.2)
    except AssertionError:
        return True
    return False


class Places:
    """What it takes to have a program somewhere: started when it is needed first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._servers: dict[str, SshServer | Podman] = {}

    @property
    def ssh(self) -> SshServer:
        """Another machine."""
        server: SshServer = self._server("ssh", SshServer)
        return server

    @property
    def engine(self) -> Podman:
        """An engine of containers."""
        engine: Podman = self._server("engine", Podman)
        return engine

    def _server(self, name: str, kind: Callable[[Path], Any]) -> Any:
        if name not in self._servers:
            self._servers[name] = kind(self._directory / name)
        return self._servers[name]

    @contextmanager
    def victim(self, place: str) -> Iterator[Ticking]:
        """A program there, for as long as the context lasts."""
        directory = self._directory / uuid.uuid4().hex
        victim: Ticking
        if place == "container":
            victim = Contained(self.engine)
        elif place == "ssh":
            victim = OnMachine(directory, "ssh", self.ssh.binding())
        else:
            victim = OnMachine(directory, "process", {})
        try:
            yield victim
        finally:
            victim.close()

    def close(self) -> None:
        """End what was started."""
        for server in self._servers.values():
            server.close()
        shutil.rmtree(self._directory)
