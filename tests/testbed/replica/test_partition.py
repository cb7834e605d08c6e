"""Real replicas, cut off from each other while both go on writing: they come to the same end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.support.region_processes import Trial, pair, run_campaign

pytestmark = pytest.mark.e2e


def test_a_partition_with_skewed_clocks_and_a_crash(tmp_path: Path) -> None:
    """One trial; many are `tests/bench/bench_convergence.py`."""
    for result in asyncio.run(run_campaign(tmp_path, [Trial(2, partition_s=1.0, kill=True)], side_by_side=1)):
        assert result.converged
        assert not result.wrong, result.wrong
        figures = result.figures
        assert figures["acknowledged"] > 20
        assert figures["lost"] == figures["lost_from_crdts"] == figures["causality_violations"] == 0


@pytest.mark.long
def test_a_pause_holds_replication_and_its_end_resumes_it(tmp_path: Path) -> None:
    async def steps() -> None:
        async with asyncio.timeout(60), pair(tmp_path) as (east, west, client):
            await client.post(f"{east.url}/admin/replication", json={"paused": True})
            counter = "/counters/acme/visits"
            keys = [{"Idempotency-Key": f"k{number}"} for number in range(1_100)]  # more than two batches
            add = [client.post(west.url + counter, json={"add": 1}, headers=key) for key in keys]
            assert {answer.status_code for answer in await asyncio.gather(*add)} == {201}
            assert (await client.get(east.url + counter)).json() == {"value": 0}
            sent = (await client.get(f"{west.url}/replication")).json()["peers"]["east"]["sent"]
            assert sent["behind_operations"] == 1_100
            assert sent["behind_s"] > 0
            await client.post(f"{east.url}/admin/replication", json={"paused": False})
            while (await client.get(east.url + counter)).json() != {"value": 1_100}:
                await asyncio.sleep(0.02)

    asyncio.run(steps())
