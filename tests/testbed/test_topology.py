from __future__ import annotations

import json
from dataclasses import asdict

from seatrial.testbed.topology import Endpoint, Topology


def listeners(topology: Topology) -> list[Endpoint]:
    regions = [(each.blue, each.green, each.cache, each.database, each.replica) for each in topology.regions]
    members = [(each.postgres, each.rest, each.raft) for each in topology.members]
    watching = (topology.prometheus, topology.alertmanager)
    own = (topology.edge, topology.statistics, topology.witness, *watching)
    return [endpoint for group in (*regions, *members, own) for endpoint in group]


def test_every_listener_has_an_address_of_its_own(topology: Topology, in_namespaces: Topology) -> None:
    for each in (topology, in_namespaces):
        assert len(set(listeners(each))) == len(listeners(each)) == 21
    assert {endpoint.host for endpoint in listeners(topology)} == {"127.0.0.1"}


def test_in_namespaces_every_region_has_its_subnet_and_the_witness_is_in_neither(
    in_namespaces: Topology,
) -> None:
    east, west = in_namespaces.regions
    assert {east.blue.host, east.cache.host, east.replica.host, in_namespaces.members[0].postgres.host} == {
        "10.77.1.2"
    }
    assert {west.blue.host, west.cache.host, west.replica.host, in_namespaces.members[1].postgres.host} == {
        "10.77.2.2"
    }
    assert in_namespaces.witness.host == in_namespaces.edge.host == "10.77.0.2"


def test_raft_addresses_ascend_from_the_witness(topology: Topology, in_namespaces: Topology) -> None:
    """The greater address connects: a part that starts later must have it."""
    for each in (topology, in_namespaces):
        addresses = [str(endpoint) for endpoint in each.raft()]
        assert each.raft()[0] == each.witness
        assert addresses == sorted(addresses)


def test_it_survives_json(topology: Topology, in_namespaces: Topology) -> None:
    for each in (topology, in_namespaces):
        assert Topology.from_plain(json.loads(json.dumps(asdict(each)))) == each


def test_a_part_enters_the_namespace_where_it_listens(topology: Topology, in_namespaces: Topology) -> None:
    assert topology.enter("127.0.0.1") == ()
    assert in_namespaces.enter("10.77.2.2") == ("nsenter", "--net=/run/netns/seatrial-0123abcd-west", "--")
