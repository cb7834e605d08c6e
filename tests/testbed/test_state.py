from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from seatrial.processes import myself
from seatrial.testbed import state
from seatrial.testbed.places import Places
from seatrial.testbed.state import PartState, TestbedState
from seatrial.testbed.topology import Topology


def example(places: Places, topology: Topology) -> TestbedState:
    own = myself()
    parts = (
        PartState("edge", "running", own, topology.edge),
        PartState("hsm", "running", own, Path("/run/hsm.sock")),
        PartState("db-1", "exited", None, topology.members[0].rest),
    )
    return TestbedState("ready", own, places.root, topology, parts)


def test_what_is_written_is_read(places: Places, topology: Topology) -> None:
    places.root.mkdir()
    written = example(places, topology)
    state.write(written, places.state)
    assert state.read(places.state) == written
    assert written.base_url == f"http://{topology.edge}"
    assert written.target == places.target
    assert written.part("db-1").condition == "exited"


def test_without_a_file_there_is_no_testbed(places: Places) -> None:
    assert state.read(places.state) is None


def test_a_testbed_whose_supervisor_is_gone_is_broken(places: Places, topology: Topology) -> None:
    places.root.mkdir()
    written = example(places, topology)
    gone = replace(written, supervisor=replace(written.supervisor, started=1))
    state.write(gone, places.state)
    found = state.read(places.state)
    assert found is not None
    assert found.phase == "broken"
