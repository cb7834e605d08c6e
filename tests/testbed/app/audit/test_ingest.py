from __future__ import annotations

import asyncio

import pytest

from seatrial.ledger.entry import GENESIS
from seatrial.testbed.app.audit import ingest as room
from seatrial.testbed.app.audit.groups import Batch, Outcome, plan
from seatrial.testbed.app.audit.ingest import Ingest
from seatrial.testbed.app.connections import DatabaseAwayError


class StoreDouble:
    """Commits when `open`; `broken`: loses its connection in the middle of it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.broken = False
        self.groups: list[list[str]] = []

    async def commit(self, group: list[Batch]) -> tuple[Outcome, ...]:
        self.groups.append([batch.id for batch in group])
        await self.open.wait()
        if self.broken:
            raise DatabaseAwayError("server closed the connection")
        return plan(0, GENESIS, {}, group).outcomes


def batch(name: str, events: int = 1) -> Batch:
    return Batch.of(name, [b"{}"] * events)


def test_what_arrives_during_a_commit_is_committed_together() -> None:
    async def scenario() -> None:
        store = StoreDouble()
        ingest = Ingest(store)
        adding = [asyncio.ensure_future(ingest.add(batch(name))) for name in "abc"]
        while not store.groups:
            await asyncio.sleep(0)
        adding += [asyncio.ensure_future(ingest.add(batch(name))) for name in "de"]
        await asyncio.sleep(0)
        store.open.set()
        assert all(outcome.created for outcome in await asyncio.gather(*adding))
        assert [name for group in store.groups for name in group] == list("abcde")
        assert store.groups[-1][-2:] == ["d", "e"]

    asyncio.run(scenario())


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(room, "_LARGEST_GROUP", 5)
        store = StoreDouble()
        store.open.set()
        ingest = Ingest(store)
        await asyncio.gather(*(ingest.add(batch(name, 2)) for name in "abcd"), ingest.add(batch("large", 9)))
        assert store.groups == [["a", "b"], ["c", "d"], ["large"]]

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_empty() -> None:
    async def scenario() -> None:
        store = StoreDouble()
        ingest = Ingest(store, most_waiting=3)
        adding = asyncio.ensure_future(ingest.add(batch("a", 2)))
        await asyncio.sleep(0)
        with pytest.raises(DatabaseAwayError, match="too many events"):
            await ingest.add(batch("b", 2))
        store.open.set()
        await adding
        assert (await ingest.add(batch("b", 3))).created

    asyncio.run(scenario())


def test_a_group_with_an_unknown_outcome_fails_each_of_its_batches_and_no_other() -> None:
    async def scenario() -> None:
        store = StoreDouble()
        store.open.set()
        store.broken = True
        ingest = Ingest(store)
        failed = await asyncio.gather(*(ingest.add(batch(name)) for name in "ab"), return_exceptions=True)
        assert all(isinstance(each, DatabaseAwayError) for each in failed)
        store.broken = False
        assert (await ingest.add(batch("c"))).created

    asyncio.run(scenario())


def test_a_commit_that_takes_too_long_is_given_up_but_not_cancelled() -> None:
    async def scenario() -> None:
        store = StoreDouble()
        ingest = Ingest(store, patience_s=0.01)
        with pytest.raises(DatabaseAwayError, match="not confirmed in time"):
            await ingest.add(batch("a"))
        store.open.set()
        assert (await Ingest(store).add(batch("b"))).created
        assert store.groups == [["a"], ["b"]]

    asyncio.run(scenario())
