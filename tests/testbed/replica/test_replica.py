"""Durable before visible, visible before acknowledged; and nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest
from tests.support.regions import EPOCH_US, Region
from tests.support.replica_in_process import Launch, run_bounded

from seatrial.testbed.replica.hlc import Stamp
from seatrial.testbed.replica.operation import Intent, Kind, Operation
from seatrial.testbed.replica.replica import BusyError, KeyReusedError, StorageError


def add(number: int, amount: int = 1) -> Intent:
    return Intent(Kind.COUNT, "acme", "visits", amount, f"k-{number}")


def test_writes_that_wait_together_are_all_carried_out_and_survive(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            done = await asyncio.gather(*(east.replica.carry_out(add(number)) for number in range(600)))
            assert [each.operation.dot.number for each in done] == list(range(1, 601))
            content = east.replica.state.canonical()
        async with launch("east") as again:
            assert again.replica.state.canonical() == content
            assert again.replica.state.counters["acme", "visits"].value == 600
            later = await again.replica.carry_out(add(600))
            assert later.operation.stamp > done[-1].operation.stamp

    run_bounded(steps())


def test_a_repetition_does_nothing_in_the_same_batch_later_and_after_a_restart(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            twice = await asyncio.gather(east.replica.carry_out(add(1)), east.replica.carry_out(add(1)))
            assert [each.repeated for each in twice] == [False, True]
            assert (await east.replica.carry_out(add(1))).repeated
        async with launch("east") as again:
            assert (await again.replica.carry_out(add(1))).repeated
            with pytest.raises(KeyReusedError):
                await again.replica.carry_out(add(1, amount=2))
            assert again.replica.state.counters["acme", "visits"].value == 1

    run_bounded(steps())


def test_a_failing_disk_is_told_to_everybody_and_shows_nothing(
    launch: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            append = east.log.append

            def fail(operations: Sequence[Operation], unix_s: float) -> None:
                raise sqlite3.OperationalError("disk I/O error")

            monkeypatch.setattr(east.log, "append", fail)
            told = await asyncio.gather(
                *(east.replica.carry_out(add(number)) for number in range(3)), return_exceptions=True
            )
            assert all(isinstance(each, StorageError) for each in told)
            assert east.replica.issued == 0
            assert not east.replica.state.counters
            monkeypatch.setattr(east.log, "append", append)
            assert (await east.replica.carry_out(add(0))).operation.dot.number == 1

    run_bounded(steps())


def test_a_clock_that_went_back_too_far_refuses_writes_until_it_is_set_right(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            await east.replica.carry_out(add(1))
            east.replica.clock.offset_s = -31.0
            with pytest.raises(BusyError, match="set the clocks right"):
                await east.replica.carry_out(add(2))
            east.replica.clock.offset_s = -29.0
            assert (await east.replica.carry_out(add(2))).operation.stamp.count == 1

    run_bounded(steps())


def test_a_peers_operations_are_taken_in_once_and_later_writes_follow_them(launch: Launch) -> None:
    async def steps() -> None:
        west = Region("west", skew_us=10_000_000)
        for number in range(5):
            west.carry_out(Intent(Kind.COUNT, "acme", "visits", 2, f"w-{number}"), EPOCH_US)
        async with launch("east") as east:
            assert await east.replica.take_in(west.history) == ""
            assert await east.replica.take_in(west.history[2:]) == ""
            assert east.replica.state.counters["acme", "visits"].value == 10
            assert (await east.replica.carry_out(add(1))).operation.stamp > west.history[-1].stamp

    run_bounded(steps())


def test_a_peer_from_too_far_ahead_is_held(launch: Launch) -> None:
    async def steps() -> None:
        west = Region("west", skew_us=31_000_000)
        west.carry_out(Intent(Kind.PUT, "acme", "theme", "dark", "w-1"), EPOCH_US)
        async with launch("east") as east:
            assert "ahead of this clock" in await east.replica.take_in(west.history)
            assert east.replica.frontier.clock == Stamp(0, 0)
            east.replica.clock.offset_s = 2.0
            assert await east.replica.take_in(west.history) == ""

    run_bounded(steps())


def test_too_many_waiting_are_refused(launch: Launch) -> None:
    async def steps() -> None:
        async with launch("east") as east:
            told = await asyncio.gather(
                *(east.replica.carry_out(add(number)) for number in range(1_500)), return_exceptions=True
            )
            refused = [each for each in told if isinstance(each, BusyError)]
            assert refused
            assert east.replica.state.counters["acme", "visits"].value == 1_500 - len(refused)

    run_bounded(steps())
