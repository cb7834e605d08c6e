from __future__ import annotations

from seatrial.testbed.parts import replica
from seatrial.testbed.programs import Programs
from seatrial.testbed.replica.__main__ import ReplicaSettings
from seatrial.testbed.topology import Topology


def settings(topology: Topology, programs: Programs) -> ReplicaSettings:
    command = replica.of_region(topology.regions[0], topology, programs).command
    return ReplicaSettings.parse(command[command.index("seatrial.testbed.replica") + 1 :])


def test_each_region_asks_the_other_and_keeps_its_log_in_its_own_directory(
    topology: Topology, programs: Programs
) -> None:
    east, west = topology.regions
    made = settings(topology, programs)
    assert (made.region, made.host, made.port) == ("east", *east.replica)
    assert made.peers == {"west": f"http://{west.replica}"}
    assert not made.data.is_absolute()
    assert made.operators == frozenset()


def test_in_namespaces_the_operator_comes_from_outside(in_namespaces: Topology, programs: Programs) -> None:
    made = settings(in_namespaces, programs)
    assert made.peers == {"west": "http://10.77.2.2:9101"}
    assert made.operators == {"10.77.255.1"}
