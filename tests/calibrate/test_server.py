"""The server breaks as it is told to, seen through plain sockets in its own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from seatrial.calibrate.plan import Kind, PlantedOutage
from seatrial.calibrate.server import Service, plant
from seatrial.calibrate.truth import Truth

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
GIVE_UP_S = 10.0


async def ask(port: int, *, patience_s: float = GIVE_UP_S) -> str:
    """The status of one request over a connection of its own, or what happened instead."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return "refused"
    try:
        writer.write(REQUEST)
        line = await asyncio.wait_for(reader.readline(), patience_s)
    except TimeoutError:
        return "silence"
    except ConnectionResetError:
        return "reset"
    finally:
        writer.close()
    return line.decode().split(" ")[1] if line else "closed"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(GIVE_UP_S):
        while not await condition():
            await asyncio.sleep(0.001)


async def during(kind: Kind, check: Callable[[Service], Awaitable[None]], length_s: float = 0.3) -> Truth:
    """Plant an outage that starts now, and check while it lasts; afterwards all must be well."""
    loop = asyncio.get_running_loop()
    service = Service()
    assert await ask(service.port) == "200"
    phases = ((0.0, 0.1), (0.2, length_s)) if kind == "flapping" else ()
    task = loop.create_task(plant(service, PlantedOutage(kind, loop.time(), length_s, 7, phases)))
    await check(service)
    truth = await task
    assert await ask(service.port) == "200"
    service.close()
    return truth


def test_refuse_closes_the_listener_and_resets_connections() -> None:
    async def check(service: Service) -> None:
        async def refused() -> bool:
            return await ask(service.port) == "refused"

        await until(refused)
        assert not service.connections

    truth = asyncio.run(during("refuse", check))
    assert truth.length_s == pytest.approx(0.3, abs=0.2)
    assert truth.uncertainty_s < 0.1
    assert truth.failed is None


def test_blackhole_reads_and_never_answers() -> None:
    async def check(service: Service) -> None:
        await asyncio.sleep(0)
        assert await ask(service.port, patience_s=0.05) == "silence"

    assert asyncio.run(during("blackhole", check)).failed == 1


def test_stall_answers_late() -> None:
    async def check(service: Service) -> None:
        await asyncio.sleep(0)
        started = asyncio.get_running_loop().time()
        assert await ask(service.port) == "200"
        assert asyncio.get_running_loop().time() - started > 0.15

    assert asyncio.run(during("stall", check)).failed is None


def test_5xx_answers_badly_at_once() -> None:
    async def check(service: Service) -> None:
        await asyncio.sleep(0)
        assert await ask(service.port) == "503"

    truth = asyncio.run(during("5xx", check))
    assert truth.failed == 1
    assert truth.length_s == pytest.approx(truth.ended_s - truth.began_s)


def test_partial_fails_some_and_counts_them() -> None:
    async def check(service: Service) -> None:
        await asyncio.sleep(0)
        statuses = [await ask(service.port) for _ in range(30)]
        seen.append(statuses.count("503"))
        assert 0 < seen[0] < 30

    seen: list[int] = []
    truth = asyncio.run(during("partial", check, length_s=1.0))
    assert truth.failed == seen[0]
    assert 0 < truth.length_s < 1.0


def test_flapping_is_down_in_its_phases_alone() -> None:
    async def check(service: Service) -> None:
        async def answers(status: str) -> bool:
            return await ask(service.port) == status

        for status in ("503", "200", "503", "200"):
            await until(lambda status=status: answers(status))  # type: ignore[misc]

    truth = asyncio.run(during("flapping", check))
    assert 0.05 <= truth.length_s < truth.ended_s - truth.began_s
    assert truth.failed
