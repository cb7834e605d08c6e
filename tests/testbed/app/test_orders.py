from __future__ import annotations

import asyncio

import pytest

from seatrial.testbed.app.connections import DatabaseAwayError
from seatrial.testbed.app.orders import Orders, Placed


class WaitingForStandby(Orders):
    """Orders whose commits return when `confirmed` is set."""

    def __init__(self) -> None:
        self.confirmed = asyncio.Event()
        self.committed: list[str] = []
        self._patience_s = 0.01
        self._unfinished: set[asyncio.Task[Placed]] = set()

    async def _place(self, key: str, sku: str, quantity: int) -> Placed:
        await self.confirmed.wait()
        self.committed.append(key)
        return Placed({"id": 1, "key": key, "sku": sku, "quantity": quantity}, created=True)


def test_a_write_that_takes_too_long_is_given_up_by_its_answer_but_not_cancelled() -> None:
    async def scenario() -> None:
        orders = WaitingForStandby()
        with pytest.raises(DatabaseAwayError, match="not confirmed in time"):
            await orders.place("k1", "sku-001", 1)
        assert orders.committed == []
        orders.confirmed.set()
        assert (await orders.place("k2", "sku-001", 1)).created
        assert orders.committed == ["k1", "k2"]

    asyncio.run(scenario())


def test_writes_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("seatrial.testbed.app.orders._MOST_WAITING", 1)
        orders = WaitingForStandby()
        with pytest.raises(DatabaseAwayError, match="not confirmed"):
            await orders.place("k1", "sku-001", 1)
        with pytest.raises(DatabaseAwayError, match="too many writes"):
            await orders.place("k2", "sku-001", 1)
        orders.confirmed.set()
        while orders.committed != ["k1"]:
            await asyncio.sleep(0)

    asyncio.run(scenario())
