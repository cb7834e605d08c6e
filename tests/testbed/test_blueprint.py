from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.testbed import blueprint, network
from seatrial.testbed.places import Places
from seatrial.testbed.programs import HsmPrograms, Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Topology


def test_two_regions_have_fourteen_parts(
    topology: Topology, places: Places, programs: Programs, secrets: Secrets
) -> None:
    parts = blueprint.parts(topology, places, programs, secrets)
    assert [part.name for part in parts] == [
        "witness", "db-1", "db-2", "east.cache", "west.cache", "east.db-proxy", "west.db-proxy",
        "east.blue", "east.green", "west.blue", "west.green",
        "east.replica", "west.replica", "edge",
    ]  # fmt: skip


def test_in_namespaces_every_part_runs_where_it_listens(
    in_namespaces: Topology, places: Places, programs: Programs, secrets: Secrets
) -> None:
    for part in blueprint.parts(in_namespaces, places, programs, secrets):
        space = {"west": "west", "db-2": "west", "east": "east", "db-1": "east"}.get(
            part.name.split(".")[0], "edge"
        )
        assert part.command[:2] == ("nsenter", f"--net=/run/netns/seatrial-0123abcd-{space}"), part.name


def test_a_password_is_nowhere_but_in_files(
    topology: Topology, places: Places, programs: Programs, secrets: Secrets
) -> None:
    """Command lines and environments are seen by everybody on the machine."""
    for part in blueprint.parts(topology, places, programs, secrets):
        shown = " ".join((*part.command, *part.environment, *part.environment.values(), repr(part)))
        assert "pw-" not in shown, part.name


def test_an_hsm_comes_with_its_programs_and_needs_no_place(
    in_namespaces: Topology, places: Places, programs: Programs, hsm_programs: HsmPrograms, secrets: Secrets
) -> None:
    parts = blueprint.parts(in_namespaces, places, replace(programs, hsm=hsm_programs), secrets)
    (part,) = (part for part in parts if part.name == "hsm")
    assert part.command[0] == str(programs.python)


def test_flat_is_on_loopback_and_so_is_a_machine_without_namespaces(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert blueprint.layout(places, flat=True).network is None
    monkeypatch.setattr(network, "why_not", lambda: "needs root")
    assert blueprint.layout(places).network is None


def test_namespaces_are_used_where_they_can_be_had(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "why_not", lambda: "")
    monkeypatch.setattr(network, "routes", lambda: "default via 192.0.2.1 dev eth0")
    chosen = blueprint.layout(places).network
    assert chosen is not None
    assert chosen.tag == places.tag


def test_gates_ask_for_the_standby_and_through_the_edge(topology: Topology) -> None:
    gates = blueprint.gates(topology)
    assert gates["synchronous standby"].endpoint == topology.members[0].rest
    assert gates["edge in service"].endpoint == topology.edge
