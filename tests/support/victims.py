"""What faults are tried on: small real processes, each knowing whether it is as it was before the fault."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import redis
from tests.support.valkey import valkey
from tests.support.waiting import wait_until

from seatrial.drivers import nft
from seatrial.faults.network_delay import ip
from seatrial.model.role import Role
from seatrial.processes import ProcessId, await_gone, descendants, from_pidfile, is_running, is_stopped, send

LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")


class Victim(Protocol):
    """Something that a fault can be injected into."""

    fault: str
    parameters: Mapping[str, Any]
    role: Role

    def intact(self) -> bool:
        """Whether nothing of the fault is left."""

    def close(self) -> None:
        """Leave nothing behind."""


def end(processes: list[ProcessId]) -> None:
    """SIGKILL exactly these, and wait for it."""
    for process in processes:
        send(process, signal.SIGKILL)
    left = await_gone(processes, 5.0)
    assert not left, left


@dataclass
class Tree:
    """A shell with two children, one of which has moved to a session of its own, as PostgreSQL's backends do."""

    directory: Path
    fault: str = "process.pause"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.root = subprocess.Popen(
            ["sh", "-c", "trap 'sleep 600 &' USR1; sleep 600 & setsid sleep 600 & while :; do wait; done"],
            start_new_session=True,
        )
        (self.directory / "tree.pid").write_text(f"{self.root.pid}\n")
        self.role = Role("tree", "process", {"pidfile": "tree.pid"}, LOOPBACK, str(self.directory))
        wait_until(lambda: len(self.all()) == 3, what="the tree has grown")
        self.born = self.all()

    def all(self) -> list[ProcessId]:
        roots = list(from_pidfile(self.directory / "tree.pid"))
        return [*roots, *descendants(roots)]

    def grow(self) -> None:
        """Have one more child."""
        before = len(self.all())
        send(self.born[0], signal.SIGUSR1)
        wait_until(lambda: len(self.all()) > before, what="the tree has grown")

    def intact(self) -> bool:
        return all(is_running(process) and not is_stopped(process) for process in self.born)

    def close(self) -> None:
        end([*reversed(self.all()), *self.born])
        self.root.wait()


@dataclass
class Service:
    """A process that has to be started again by its `start` command, and must never run twice."""

    directory: Path
    fault: str = "process.kill"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        # slow to write its pidfile, as real services are, and it tells of each start
        program = 'echo started >> starts; sleep 0.05; echo $$ > service.pid; exec sleep "$0"'
        self.start = ["sh", "-c", program, "601"]
        subprocess.run([*self._detached(), *self.start], cwd=self.directory, check=True)
        self.role = Role(
            "service",
            "process",
            {"pidfile": "service.pid", "start": self.start},
            LOOPBACK,
            str(self.directory),
        )
        wait_until(self.intact, what="the service runs")

    @staticmethod
    def _detached() -> list[str]:
        return ["setsid", "--fork"]

    def process(self) -> ProcessId | None:
        return next(from_pidfile(self.directory / "service.pid"), None)

    def starts(self) -> int:
        return (self.directory / "starts").read_text().count("started")

    def intact(self) -> bool:
        process = self.process()
        return process is not None and not is_stopped(process) and self.starts() <= 2

    def close(self) -> None:
        process = self.process()
        end([process] if process else [])

    def __str__(self) -> str:
        return f"{self.fault}: {self.starts()} starts, running: {self.process() is not None}"


@dataclass
class Files:
    """A directory that programs of its own break and mend."""

    directory: Path
    fault: str = "command.run"
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: {
            "inject": ["sh", "-c", "sleep 0.03; touch broken"],
            "undo": ["rm", "-f", "broken"],
            "probe": ["test", "!", "-e", "broken"],
        }
    )

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.role = Role("files", "command", {}, LOOPBACK, str(self.directory))

    def intact(self) -> bool:
        return not (self.directory / "broken").exists()

    def close(self) -> None:
        """Nothing runs."""


@dataclass
class Cache:
    """A Valkey with a limit of its own."""

    directory: Path
    fault: str = "redis.evict"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stack = contextlib.ExitStack()
        port = self._stack.enter_context(valkey(self.directory))
        self._client = redis.Redis(port=port)
        self._client.config_set("maxmemory", 400_000_000)
        self.role = Role(
            "cache", "redis", {"url": f"redis://127.0.0.1:{port}/0"}, LOOPBACK, str(self.directory)
        )

    def intact(self) -> bool:
        settings = self._client.config_get("maxmemory*")
        return (settings["maxmemory"], settings["maxmemory-policy"]) == ("400000000", "noeviction")

    def close(self) -> None:
        self._client.close()
        self._stack.close()


@dataclass
class Router:
    """A network namespace with somebody else's table in it, which looks like ours."""

    directory: Path
    fault: str = "network.partition"
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"between": ["east", "west"]})

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._namespace = f"seatrial-test-{uuid.uuid4().hex[:8]}"
        subprocess.run(["ip", "netns", "add", self._namespace], check=True)
        nft.run(
            self._namespace,
            "table inet seatrial_theirs { chain c { type filter hook input priority 0; }; }\n",
        )
        parameters = {
            "namespace": self._namespace,
            "sides": {"east": ["127.0.1.0/24"], "west": ["127.0.2.0/24"]},
        }
        self.role = Role("router", "network", parameters, LOOPBACK, str(self.directory))

    def intact(self) -> bool:
        tables = nft.run(self._namespace, "list tables\n").strip()
        rules = ip(self._namespace, "ip", ["rule", "show"])
        return tables == "table inet seatrial_theirs" and "fwmark" not in rules

    def close(self) -> None:
        subprocess.run(["ip", "netns", "del", self._namespace], check=True)
