"""A small HTTP server that breaks on purpose and writes down when, on the clock of the load generator.

It is a process of its own, so that it does not share an interpreter with the load generator. It listens on
a free port of the address that it is given, says which in one JSON line on its standard output, reads one
JSON line with the outages to plant (instants of CLOCK_MONOTONIC), and works until its input is closed.

    WORKS ──refuse────► the listening socket is closed, connections are reset; new ones are refused
          ──blackhole─► requests are read and never answered; connections stay
          ──stall─────► requests are kept, and answered when the outage ends
          ──5xx───────► every request is answered with 503 at once
          ──partial───► each request is answered with 503 by the throw of a seeded coin
          ──flapping──► 5xx in each of the outage's phases, well between them
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from seatrial.calibrate.plan import PARTIAL_SHARE, PlantedOutage
from seatrial.calibrate.truth import Truth, append, longest_failure

_GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"
_BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ndown\n"
_END_OF_REQUEST = b"\r\n\r\n"
LOCAL = "127.0.0.1"
_BACKLOG = 4096
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close() sends RST

Answer = Callable[["Connection"], None]


class Connection:
    """One keep-alive connection of a client. Requests have no body, responses fit into a socket's buffer."""

    def __init__(self, service: Service, peer: socket.socket) -> None:
        self._service = service
        self._peer = peer
        self._received = b""
        peer.setblocking(False)
        asyncio.get_running_loop().add_reader(peer, self._read)

    def _read(self) -> None:
        try:
            data = self._peer.recv(65_536)
        except BlockingIOError:
            return
        except OSError:  # reset by the client
            data = b""
        if not data:
            self.close()
            return
        *requests, self._received = (self._received + data).split(_END_OF_REQUEST)
        for _ in requests:
            self._service.answer(self)

    def send(self, response: bytes) -> None:
        """Answer, if the client is still there."""
        if self in self._service.connections:
            with suppress(OSError):  # the client has gone, which the next read will see too
                self._peer.send(response)

    def close(self) -> None:
        """Let go of it."""
        asyncio.get_running_loop().remove_reader(self._peer)
        self._service.connections.discard(self)
        self._peer.close()

    def reset(self) -> None:
        """Close it as a crash would."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()


class Service:
    """The server's state: how it answers at this instant.

    It accepts connections itself: asyncio's own server forgets one that it has just accepted when it is
    closed, and a refused client would hang.
    """

    def __init__(self, host: str = LOCAL) -> None:
        self.host = host
        self.connections: set[Connection] = set()
        self.outcomes: list[tuple[float, bool]] = []  # of the outage under way
        self.answer: Answer = self.well
        self._held: list[Connection] = []
        self._random = Random()
        self._loop = asyncio.get_running_loop()
        self._listener = _bound(host, 0)
        self.port: int = self._listener.getsockname()[1]
        self.listen()

    def listen(self) -> None:
        """Accept connections."""
        self._listener.listen(_BACKLOG)
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                self.connections.add(Connection(self, self._listener.accept()[0]))

    def close(self) -> None:
        """Accept no connection and reset those that are open."""
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for connection in tuple(self.connections):
            connection.reset()

    def refuse(self) -> None:
        """Be closed, and hold the port: bound without listening, it refuses, and nobody else gets it."""
        self.close()
        self._listener = _bound(self.host, self.port)

    def well(self, connection: Connection) -> None:
        """Answer 200."""
        self._note(well=True)
        connection.send(_GOOD)

    def badly(self, connection: Connection) -> None:
        """Answer 503."""
        self._note(well=False)
        connection.send(_BAD)

    def never(self, connection: Connection) -> None:  # noqa: ARG002  # one of several ways to answer
        """Do not answer."""
        self._note(well=False)

    def _note(self, *, well: bool) -> None:
        """Before the answer is sent, which may wake a client that takes the processor away from us."""
        self.outcomes.append((self._loop.time(), well))

    def later(self, connection: Connection) -> None:
        """Keep the request for `resume`."""
        self._held.append(connection)

    def sometimes(self, connection: Connection) -> None:
        """Answer 503 by the throw of a coin."""
        (self.badly if self._random.random() < PARTIAL_SHARE else self.well)(connection)

    def resume(self) -> None:
        """Answer 200 from now on, first to the requests that were kept."""
        self.answer = self.well
        for connection in self._held:
            connection.send(_GOOD)
        self._held.clear()

    def throw(self, seed: int) -> None:
        """Make the coin of `sometimes` start anew."""
        self._random = Random(seed)


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind((host, port))
    return listener


async def plant(service: Service, outage: PlantedOutage) -> Truth:
    """Let one outage happen at its time, and say how it was."""
    await _until(outage.at_s)
    service.outcomes.clear()
    service.throw(outage.seed)
    if outage.kind == "refuse":
        return await _refuse(service, outage)
    if outage.kind == "flapping":
        return await _flap(service, outage)
    ways: dict[str, Answer] = {
        "blackhole": service.never, "stall": service.later, "5xx": service.badly, "partial": service.sometimes
    }  # fmt: skip
    began = _now()
    service.answer = ways[outage.kind]
    await _until(began + outage.length_s)
    ended = _now()
    service.resume()
    partial = outage.kind == "partial"
    length = longest_failure(service.outcomes, ended) if partial else ended - began
    failed = sum(not well for _, well in service.outcomes) if outage.kind != "stall" else None
    return Truth(outage.kind, began, ended, length, 0.0, failed)


async def _refuse(service: Service, outage: PlantedOutage) -> Truth:
    """Between asking for a change and having made it, one cannot say which side an instant is on."""
    asked = _now()
    service.refuse()
    began = _now()
    await _until(began + outage.length_s)
    ending = _now()
    service.listen()
    ended = _now()
    uncertainty = (began - asked + ended - ending) / 2
    return Truth("refuse", asked, ended, (ended + ending - began - asked) / 2, uncertainty, None)


async def _flap(service: Service, outage: PlantedOutage) -> Truth:
    start = _now()
    longest = began = ended = 0.0
    for down_s, well_s in outage.phases_s:
        await _until(start + down_s)
        began = _now()
        service.answer = service.badly
        await _until(start + well_s)
        ended = _now()
        service.resume()
        longest = max(longest, ended - began)
    failed = sum(not well for _, well in service.outcomes)
    return Truth("flapping", start, ended, longest, 0.0, failed)


def _now() -> float:
    return asyncio.get_running_loop().time()  # CLOCK_MONOTONIC


async def _until(instant_s: float) -> None:
    await asyncio.sleep(max(0.0, instant_s - _now()))


async def serve(journal: Path, host: str) -> None:
    """Work until standard input is closed."""
    loop = asyncio.get_running_loop()
    service = Service(host)
    sys.stdout.write(json.dumps({"port": service.port}) + "\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    orders = asyncio.create_task(_plant_all(service, await reader.readline(), journal))
    await reader.read()
    service.close()
    if not orders.cancel():
        orders.result()  # raises what went wrong


async def _plant_all(service: Service, line: bytes, journal: Path) -> None:
    for order in json.loads(line or b"[]"):
        append(await plant(service, PlantedOutage(**order)), journal)


if __name__ == "__main__":
    gc.disable()  # a collection would be an outage that nobody planted
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
