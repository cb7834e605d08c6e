"""The process that starts the parts, keeps their logs and pids, and does what the control socket asks.

It lives in its own session, so that Ctrl-C in the terminal that said `up` does not reach it. While the
testbed is starting it hangs on a socket pair to that `up`: should `up` die, nobody wants the testbed any
more, and it goes. Parts are told to die with the supervisor (PR_SET_PDEATHSIG); what escapes that is found by
the next `up` or `down`. It adopts what parts leave behind and waits for whatever ends, at its own end too:
the only process that it leaves to init to be waited for is itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from seatrial.model.problems import SeatrialError, Unavailable, nearest
from seatrial.processes import myself
from seatrial.testbed import blueprint, leftovers, network, probes, programs, state, target, topology
from seatrial.testbed.child import Child
from seatrial.testbed.part import matching
from seatrial.testbed.places import Places
from seatrial.testbed.processes import adopt_orphans, ended_children
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.state import TestbedState

_log = logging.getLogger(__name__)
_UP_WITHIN_S = 60.0
OPERATIONS = ("start", "stop", "restart", "kill", "pause", "resume")


class Supervisor:
    """The parts of one testbed and what is done to them."""

    def __init__(self, places: Places, layout: topology.Topology, found: programs.Programs) -> None:
        credentials = Secrets.generate()
        self._places = places
        self._topology = layout
        self._programs = found
        self._own = myself()
        self._credentials = credentials
        self._phase: state.Phase = "starting"
        servers = programs.servers()
        self._children = {
            part.name: Child(part, places, servers, self._write_state)
            for part in blueprint.parts(layout, places, found, credentials)
        }

    async def bring_up(self, tell: Callable[[str], None]) -> None:
        """Start every part as soon as what it needs is ready, then wait for the gates. Raises Unavailable."""
        self._lay_out()
        tell(_described(self._topology))
        if self._programs.hsm is None:
            tell(f"without an HSM; to mend: {programs.MEND_HSM}")
        if self._programs.monitoring is None:
            tell(f"nobody watches it: no Prometheus or Alertmanager; to mend: {programs.MEND_MONITORING}")
        starting = [asyncio.ensure_future(self._start(child, tell)) for child in self._children.values()]
        try:
            async with asyncio.timeout(_UP_WITHIN_S):
                await asyncio.gather(*starting)
                for name, gate in blueprint.gates(self._topology).items():
                    await probes.until_true(gate)
                    tell(name)
        except TimeoutError as error:
            late = [name for name, child in self._children.items() if child.condition != "running"]
            waits = (
                f"not running: {', '.join(late)}"
                if late
                else "no synchronous standby, or the edge does not serve"
            )
            raise Unavailable(f"testbed: not ready within {_UP_WITHIN_S:g} s; {waits}") from error
        finally:
            await _cancel(*starting)
        self._phase = "ready"
        self._write_state()

    async def _start(self, child: Child, tell: Callable[[str], None]) -> None:
        for need in child.part.needs:
            await probes.until_true(need)
        tell(f"{child.part.name} ready after {await child.start():.1f} s")

    def _lay_out(self) -> None:
        for directory in (self._places.parts, self._places.pids, self._places.sockets):
            directory.mkdir(mode=0o700, parents=True)
        self._places.secrets.touch(mode=0o600)
        variables = self._credentials.environment().items()
        self._places.secrets.write_text("".join(f"{name}={value}\n" for name, value in variables))
        hsm, monitoring = self._programs.hsm, self._programs.monitoring
        self._places.target.write_text(target.target_yaml(self._topology, self._places, hsm, monitoring))
        if self._topology.network:
            network.create(self._topology.network)
        self._write_state()

    def _write_state(self) -> None:
        parts = tuple(child.state() for child in self._children.values())
        now = TestbedState(self._phase, self._own, self._places.root, self._topology, parts)
        state.write(now, self._places.state)

    def reap(self) -> None:
        """Collect every child that has ended, adopted ones too."""
        by_pid = {child.pid: child for child in self._children.values()}
        for pid, code in ended_children():
            if child := by_pid.get(pid):
                _log.info("%s (%d) ended with %d", child.part.name, pid, code)
                child.reaped(code)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on the control socket: a line of JSON in, a line of JSON out."""
        try:
            request = json.loads(await reader.readline())
            answer = {"message": await self.do(request["do"], request["part"])}
        except SeatrialError as error:
            answer = {"error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": f"not a request: {error}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        writer.close()

    async def do(self, operation: str, selector: str) -> str:
        """`start` … `resume` the parts that a selector names; what was done. Raises Unavailable."""
        names = matching(selector, tuple(self._children))
        if operation not in OPERATIONS:
            raise Unavailable(f"testbed: unknown operation '{operation}'{nearest(operation, OPERATIONS)}")
        if not names:
            raise Unavailable(f"testbed: unknown part '{selector}'{nearest(selector, self._children)}")
        begun = time.monotonic()
        await asyncio.gather(*(self._do(operation, self._children[name]) for name in names))
        message = f"{operation} {', '.join(names)}: done in {time.monotonic() - begun:.2f} s"
        _log.info("%s", message)
        return message

    async def _do(self, operation: str, child: Child) -> None:
        if operation == "restart":
            await child.stop()
            await child.start()
            return
        actions: dict[str, Callable[[], Awaitable[object]]] = {
            "start": child.start,
            "stop": child.stop,
            "kill": child.kill,
            "pause": child.pause,
            "resume": child.resume,
        }
        await actions[operation]()


class Waiting:
    """The `up` that waits for us, at the other end of a socket pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def tell(self, kind: str, text: str) -> None:
        """One line of JSON: `progress`, `failed` or `ready`."""
        _log.info("%s: %s", kind, text)
        if not self._writer.is_closing():
            self._writer.write(json.dumps({kind: text}).encode() + b"\n")

    async def gone(self) -> None:
        """Returns when it has hung up."""
        await self._reader.read()

    async def close(self) -> None:
        """Nobody waits any more."""
        self._writer.close()
        await self._writer.wait_closed()


async def run(places: Places, connection: socket.socket, *, flat: bool, tenants: int) -> None:
    """Bring the testbed up and stay until a signal. Whatever goes wrong before it is ready is undone.

    `flat`: on loopback, even where namespaces could be had. `tenants`: how many the shop has.
    """
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ending.set)
    waiting = Waiting(*await asyncio.open_connection(sock=connection))
    try:
        found = programs.find()
        layout = blueprint.layout(places, flat=flat, tenants=tenants)
        supervisor = Supervisor(places, layout, found)
        loop.add_signal_handler(signal.SIGCHLD, supervisor.reap)
        control = await _unless_ended(_bring_up(supervisor, places, waiting), ending, waiting)
    except SeatrialError as error:
        _clear(places)
        waiting.tell("failed", str(error))
        await waiting.close()
        return
    waiting.tell("ready", layout.base_url)
    await waiting.close()
    await ending.wait()
    control.close()
    _clear(places)


def _described(layout: topology.Topology) -> str:
    if layout.network:
        return f"network namespaces {layout.network.namespace('*')}, {layout.network.everything}"
    return f"on loopback, without partitions: {network.why_not() or 'as asked'}"


def _clear(places: Places) -> None:
    """The end of all parts is not recorded any more: the record goes with them."""
    _log.info("taking everything down")
    asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
    try:
        leftovers.clear(places)
    finally:
        for _ in ended_children():  # nobody waits for them after us
            pass


async def _bring_up(supervisor: Supervisor, places: Places, waiting: Waiting) -> asyncio.Server:
    await supervisor.bring_up(lambda text: waiting.tell("progress", text))
    return await asyncio.start_unix_server(supervisor.serve, places.control)


async def _unless_ended(
    work: Awaitable[asyncio.Server], ending: asyncio.Event, waiting: Waiting
) -> asyncio.Server:
    """The result of `work`. Raises SeatrialError when a signal or the end of `up` comes first."""
    working = asyncio.ensure_future(work)
    others = (asyncio.ensure_future(ending.wait()), asyncio.ensure_future(waiting.gone()))
    try:
        await asyncio.wait((working, *others), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise SeatrialError("testbed: given up while starting")
        return working.result()
    finally:
        await _cancel(working, *others)


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    """Cancel and wait: after this none of them starts anything any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """`python -m seatrial.testbed.supervisor ROOT DESCRIPTOR TENANTS [flat]`, started by `up`."""
    places, connection = Places(Path(sys.argv[1])), socket.socket(fileno=int(sys.argv[2]))
    tenants, flat = int(sys.argv[3]), sys.argv[4:] == ["flat"]
    if os.fork():
        os._exit(0)  # `up` waits for this one only: a daemon must not become anybody's zombie
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    adopt_orphans()
    asyncio.run(run(places, connection, flat=flat, tenants=tenants))


if __name__ == "__main__":
    main()
