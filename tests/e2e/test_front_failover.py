"""One and the same region failover by DNS, met by two kinds of clients: the keys of the load decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.edges import needs_haproxy
from tests.support.front_failover import failover, two_fronts
from tests.support.small_run import all_well

from seatrial.testbed import network

pytestmark = [pytest.mark.e2e, pytest.mark.root, needs_haproxy]


@pytest.mark.long
@pytest.mark.skipif(bool(network.why_not()), reason="without network namespaces there are no partitions")
def test_clients_that_do_not_ask_again_stay_with_the_region_that_is_lost(tmp_path: Path) -> None:
    with two_fronts(tmp_path) as fronts:
        faithful, told = failover(
            fronts, tmp_path / "faithful", "connections: shared, dns: {select: first, ttl: 1h}"
        )
        followers, said = failover(
            fronts, tmp_path / "followers", "connections: new, dns: {select: first, ttl: 1s}"
        )
    assert faithful["verdict"] == "fail", faithful["reasons"]
    assert _longest(faithful)["lower_s"] > 5.0, "as long as the region was lost"
    assert "all users share one warm pool of connections; a new one goes to the first address" in told

    assert all_well(followers), followers["reasons"]
    assert 0.2 < _longest(followers)["upper_s"] < 4.0, "until health checks and the answer's age let go of it"
    assert "each arrival opens connections of its own" in said


def _longest(verdict: dict[str, Any]) -> dict[str, float]:
    spans: list[dict[str, float]] = [outage["perceived"] for outage in verdict["outages"]]
    return max(spans, key=lambda span: span["upper_s"])
