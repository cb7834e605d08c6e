from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from pathlib import Path

from seatrial.testbed import probes
from seatrial.testbed.part import Probe
from seatrial.testbed.topology import Endpoint


async def _against(answer: bytes, probe_of: Probe) -> bool:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if probe_of.send:
            await reader.readexactly(len(probe_of.send))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await probes.succeeds(Probe(Endpoint("127.0.0.1", port), probe_of.send, probe_of.expect))


def _run(work: Awaitable[bool]) -> bool:
    async def awaited() -> bool:
        return await work

    return asyncio.run(awaited())


ANYWHERE = Endpoint("", 0)


def test_listening_is_enough_when_nothing_is_expected() -> None:
    assert _run(_against(b"", Probe(ANYWHERE)))


def test_the_expected_answer_succeeds() -> None:
    assert _run(_against(b"HTTP/1.0 200 OK\r\n\r\n", Probe.http(ANYWHERE, "/")))


def test_another_answer_or_none_fails() -> None:
    assert not _run(_against(b"HTTP/1.0 503 No\r\n\r\n", Probe.http(ANYWHERE, "/")))
    assert not _run(_against(b"", Probe(ANYWHERE, b"PING", b"PONG")))


def test_a_unix_socket_is_enough_when_it_accepts(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert not asyncio.run(probes.succeeds(Probe(path)))  # left by one that died
        server.listen()
        assert asyncio.run(probes.succeeds(Probe(path)))


def test_nobody_listening_fails() -> None:
    assert not asyncio.run(probes.succeeds(Probe(Endpoint("127.0.0.1", 1))))
