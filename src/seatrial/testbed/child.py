"""One part as a process that comes and goes: started, stopped, killed, paused, but never restarted by itself.

How long a part stays away is what an experiment decides and measures; a supervisor that brought it back on
its own would measure itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path

from seatrial.model.problems import Unavailable
from seatrial.processes import ProcessId, identify, send
from seatrial.testbed import probes
from seatrial.testbed.part import Part
from seatrial.testbed.places import Places
from seatrial.testbed.processes import MARKER, die_with_parent, end, working_in
from seatrial.testbed.state import Condition, PartState

_READY_WITHIN_S = 40.0
_STOP_WITHIN_S = 10.0
_END_WITHIN_S = 5.0
_SCANS = 5  # for processes that fork while they are being signalled
_TAIL_LINES = 8
# All that parts see of the environment of `up`: PGHOST or PATRONI_NAME would change what they do, and keys
# and tokens are none of their business.
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")


class Child:
    """The process of a part. All methods run in the supervisor's event loop; one at a time for a part."""

    def __init__(
        self, part: Part, places: Places, servers: Collection[Path], changed: Callable[[], None]
    ) -> None:
        """`servers`: see `working_in`. `changed` is called after every change of condition."""
        self.part = part
        self.condition: Condition = "waiting"
        self._places = places
        self._servers = servers
        self._changed = changed
        self._popen: subprocess.Popen[bytes] | None = None
        self._process: ProcessId | None = None
        self._ended = asyncio.Event()
        self._busy = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The pid of the running process."""
        return self._popen.pid if self._popen else None

    def state(self) -> PartState:
        """For `state.json`."""
        return PartState(self.part.name, self.condition, self._process, self.part.ready.endpoint)

    async def start(self) -> float:
        """Start it, wait until it is ready; how many seconds. Raises Unavailable with its last words."""
        async with self._busy:
            begun = time.monotonic()
            if self._popen is None:
                self._spawn()
            await self._until_ready()
            self._become("running")
            return time.monotonic() - begun

    async def stop(self) -> None:
        """End it as an operator would (SIGTERM); what is still there after a while is killed."""
        async with self._busy:
            self._signal_all(signal.SIGCONT)
            self._become("stopped")
            if self._process is not None and send(self._process, signal.SIGTERM):
                ended = asyncio.ensure_future(self._ended.wait())
                await asyncio.wait((ended,), timeout=_STOP_WITHIN_S)
                ended.cancel()
            await self._kill_all()

    async def kill(self) -> None:
        """End every process of the part at once, as the loss of its machine would."""
        async with self._busy:
            self._become("stopped")
            await self._kill_all()

    async def pause(self) -> None:
        """Stop every process of the part without ending it (SIGSTOP)."""
        async with self._busy:
            if self._process is not None:
                self._signal_all(signal.SIGSTOP)
                self._become("paused")

    async def resume(self) -> None:
        """Let a paused part go on."""
        async with self._busy:
            if self._process is not None:
                self._signal_all(signal.SIGCONT)
                self._become("running")

    def reaped(self, code: int) -> None:
        """Its process has ended with this code (negative: by a signal)."""
        if self._popen is not None:
            self._popen.returncode = code
        self._popen = self._process = None
        self._ended.set()
        self._become("stopped" if self.condition == "stopped" else "exited")

    def _spawn(self) -> None:
        directory = self._places.part(self.part.name)
        if not directory.exists():
            directory.mkdir(mode=0o700, parents=True)
            for name, text in self.part.files.items():
                (directory / name).touch(mode=0o600)
                (directory / name).write_text(text)
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment = {**passed_on, **self.part.environment, MARKER: str(self._places.root)}
        with self._places.log(self.part.name).open("ab") as log:
            self._popen = subprocess.Popen(
                self.part.command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509  # the supervisor has one thread
            )
        self._ended.clear()
        self._process = identify(self._popen.pid)
        self._places.pid(self.part.name).write_text(f"{self._popen.pid}\n")
        self._become("starting")

    async def _until_ready(self) -> None:
        ready = asyncio.ensure_future(probes.until_true(self.part.ready))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((ready, ended), timeout=_READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                what = (
                    "ended before it was ready" if ended.done() else f"was not ready in {_READY_WITHIN_S:g} s"
                )
                raise Unavailable(f"testbed: {self.part.name} {what}\n{self._tail()}")
        finally:
            ready.cancel()
            ended.cancel()

    def _tail(self) -> str:
        log = self._places.log(self.part.name)
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"  {log.name}: {line}" for line in lines)

    def _members(self) -> list[ProcessId]:
        return working_in(self._places.part(self.part.name), self._places.root, self._servers)

    def _signal_all(self, number: signal.Signals) -> None:
        reached: set[ProcessId] = set()
        for _ in range(_SCANS):
            found = set(self._members()) - reached
            if not found:
                return
            for process in found:
                send(process, number)
            reached |= found

    async def _kill_all(self) -> None:
        for _ in range(_SCANS):
            found = self._members()
            if not found:
                break
            end(found, _END_WITHIN_S)
        if self._popen is not None:
            await self._ended.wait()

    def _become(self, condition: Condition) -> None:
        if condition != self.condition:
            self.condition = condition
            self._changed()
