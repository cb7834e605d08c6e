"""network.partition: packets between two sides vanish, and nobody else's tables are touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.routed_namespaces import RoutedNamespaces

from seatrial.drivers import nft
from seatrial.model.problems import BadInput, Unavailable
from seatrial.processes import tagged
from seatrial.undo import FaultSession, recover, registry

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(nft.lacking()), reason=nft.lacking() or "all there"),
]


def partition(**parameters: Any) -> Any:
    return registry.build("network.partition", {"between": ["east", "west"], **parameters})


def test_both_ways_and_back(routed: RoutedNamespaces) -> None:
    fault = partition()
    undo = fault.prepare(routed.role)
    assert routed.passes(routed.east, routed.west)
    fault.inject(undo)
    assert not routed.passes(routed.east, routed.west)
    assert not routed.passes(routed.west, routed.east)
    assert not fault.healthy(routed.role)
    assert not fault.gone(undo)
    for _ in range(2):
        registry.build(undo.fault, undo.with_).undo(undo)
        assert routed.passes(routed.east, routed.west)
    assert fault.healthy(routed.role)
    assert fault.gone(undo)
    assert undo.by_hand == f"ip netns exec {routed.router} nft delete table inet seatrial_{undo.token}"


def test_one_way_loses_requests_one_way_and_answers_the_other(routed: RoutedNamespaces) -> None:
    fault = partition(ways="forward")
    undo = fault.prepare(routed.role)
    fault.inject(undo)
    listed = nft.run(routed.router, f"list table inet {nft.table_of(undo.token)}\n")
    assert "ip saddr 10.91.1.0/24 ip daddr 10.91.2.0/24" in listed
    assert "ip saddr 10.91.2.0/24" not in listed
    fault.undo(undo)


def test_a_share_of_packets_and_resets_are_lawful(routed: RoutedNamespaces) -> None:
    for parameters in ({"share": "30%"}, {"by": "reset"}, {"by": "reset", "share": "0.5%"}):
        fault = partition(**parameters)
        undo = fault.prepare(routed.role)
        fault.inject(undo)
        assert nft.table_of(undo.token) in nft.tables(routed.router)
        fault.undo(undo)
        assert nft.tables(routed.router) == []


def test_tables_of_others_survive_even_if_they_look_like_ours(routed: RoutedNamespaces) -> None:
    names = ("filter", "seatrial_theirs", "seatrial_" + "a" * 32)
    for name in names:
        nft.run(
            routed.router, f"table inet {name} {{ chain c {{ type filter hook forward priority 0; }}; }}\n"
        )
    try:
        fault = partition()
        undo = fault.prepare(routed.role)
        fault.inject(undo)
        fault.undo(undo)
        assert fault.gone(undo), "tables of others are no effect of ours"
        listed = nft.run(routed.router, "list tables\n")
        assert all(f"table inet {name}\n" in listed for name in names)
        assert undo.token not in listed
    finally:
        for name in names:
            nft.run(routed.router, f"delete table inet {name}\n")


def test_in_a_session_and_after_a_reboot_of_the_namespace(routed: RoutedNamespaces, home: Path) -> None:
    with FaultSession(home, "shop", experiment="e", run="r", faults=["network.partition"]) as drill:
        drill.inject(partition(), routed.role, ttl_s=30)
        assert not routed.passes(routed.west, routed.east)
    assert [(outcome.undone, outcome.verified) for outcome in drill.outcomes] == [(True, True)]
    assert routed.passes(routed.west, routed.east)
    assert recover(home) == []


def test_preparing_touches_nothing_and_warming_starts_what_the_undo_ends(routed: RoutedNamespaces) -> None:
    fault = partition()
    undo = fault.prepare(routed.role)
    assert tagged(undo.token) == []
    fault.warm(undo)
    assert len(tagged(undo.token)) == 1
    assert nft.tables(routed.router) == []
    fault.inject(undo)
    assert not routed.passes(routed.east, routed.west)
    fault.undo(undo)
    assert tagged(undo.token) == []
    assert routed.passes(routed.east, routed.west)


def test_what_was_prepared_and_not_injected_leaves_nothing(routed: RoutedNamespaces) -> None:
    fault = partition()
    fault.undo(fault.prepare(routed.role))
    assert nft.tables(routed.router) == []


def test_what_makes_no_sense_is_refused(routed: RoutedNamespaces) -> None:
    with pytest.raises(BadInput, match="has no side 'wets'; did you mean 'west'"):
        registry.build("network.partition", {"between": ["east", "wets"]}).prepare(routed.role)
    with pytest.raises(BadInput, match="allow"):
        partition().prepare(replace(routed.role, allow=("10.91.1.0/24",)))
    with pytest.raises(Unavailable, match="there is no network namespace nowhere"):
        partition().prepare(
            replace(routed.role, parameters={**routed.role.parameters, "namespace": "nowhere"})
        )
    with pytest.raises(BadInput, match="is no name of a network namespace"):
        partition().prepare(
            replace(routed.role, parameters={**routed.role.parameters, "namespace": "../etc"})
        )
