"""network.partition: packets between two sides vanish, and nobody else's tables are touched."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from seatrial.faults import FaultSession, Role, nft, recover, registry
from seatrial.model.problems import BadInput, Unavailable

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(nft.lacking()), reason=nft.lacking() or "all there"),
]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@dataclass
class Harbour:
    """east ── router ── west, each a namespace of its own."""

    role: Role
    router: str
    east: str
    west: str

    def passes(self, source: str, target: str) -> bool:
        """Whether a datagram from one to the other is answered."""
        program = (
            "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
            "s.settimeout(0.3); s.sendto(b'?', (sys.argv[1], 7000)); s.recv(1)"
        )
        address = {self.east: "10.91.1.2", self.west: "10.91.2.2"}[target]
        command = ["ip", "netns", "exec", source, sys.executable, "-I", "-S", "-c", program, address]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7000))
print("ready", flush=True)
while True:
    data, sender = s.recvfrom(16)
    s.sendto(data, sender)
"""


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    tag = f"seatrial-test-{socket.gethostname()[:4]}{id(tmp_path_factory) % 10_000}"
    router, east, west = (f"{tag}-{side}" for side in ("r", "e", "w"))
    with contextlib.ExitStack() as stack:
        for namespace in (router, east, west):
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
        for number, side in ((1, east), (2, west)):
            ip(
                "-n",
                router,
                "link",
                "add",
                f"to{number}",
                "type",
                "veth",
                "peer",
                "name",
                "up0",
                "netns",
                side,
            )
            ip("-n", router, "addr", "add", f"10.91.{number}.1/24", "dev", f"to{number}")
            ip("-n", side, "addr", "add", f"10.91.{number}.2/24", "dev", "up0")
            for namespace, device in ((router, f"to{number}"), (side, "up0"), (side, "lo")):
                ip("-n", namespace, "link", "set", device, "up")
            ip("-n", side, "route", "add", "default", "via", f"10.91.{number}.1")
            echo = subprocess.Popen(
                ["ip", "netns", "exec", side, sys.executable, "-I", "-S", "-c", ECHO], stdout=subprocess.PIPE
            )
            stack.callback(echo.wait)
            stack.callback(echo.kill)
            assert echo.stdout is not None
            stack.enter_context(echo.stdout)
            assert echo.stdout.readline() == b"ready\n"
        forwarding = ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]
        subprocess.run(["ip", "netns", "exec", router, *forwarding], check=True)
        sides = {"east": ["10.91.1.0/24"], "west": ["10.91.2.0/24"]}
        role = Role(
            "router",
            "network",
            {"namespace": router, "sides": sides},
            ("10.91.0.0/16",),
            str(tmp_path_factory.mktemp("network")),
        )
        yield Harbour(role, router, east, west)


def partition(**parameters: Any) -> Any:
    return registry.build("network.partition", {"between": ["east", "west"], **parameters})


def test_both_ways_and_back(harbour: Harbour) -> None:
    fault = partition()
    undo = fault.prepare(harbour.role)
    assert harbour.passes(harbour.east, harbour.west)
    fault.inject(undo)
    assert not harbour.passes(harbour.east, harbour.west)
    assert not harbour.passes(harbour.west, harbour.east)
    assert not fault.healthy(harbour.role)
    for _ in range(2):
        registry.build(undo.fault, undo.with_).undo(undo)
        assert harbour.passes(harbour.east, harbour.west)
    assert fault.healthy(harbour.role)
    assert undo.by_hand == f"ip netns exec {harbour.router} nft delete table inet seatrial_{undo.token}"


def test_one_way_loses_requests_one_way_and_answers_the_other(harbour: Harbour) -> None:
    fault = partition(ways="forward")
    undo = fault.prepare(harbour.role)
    fault.inject(undo)
    listed = nft.run(harbour.router, f"list table inet {nft.table_of(undo.token)}\n")
    assert "ip saddr 10.91.1.0/24 ip daddr 10.91.2.0/24" in listed
    assert "ip saddr 10.91.2.0/24" not in listed
    fault.undo(undo)


def test_a_share_of_packets_and_resets_are_lawful(harbour: Harbour) -> None:
    for parameters in ({"share": "30%"}, {"by": "reset"}, {"by": "reset", "share": "0.5%"}):
        fault = partition(**parameters)
        undo = fault.prepare(harbour.role)
        fault.inject(undo)
        assert nft.table_of(undo.token) in nft.tables(harbour.router)
        fault.undo(undo)
        assert nft.tables(harbour.router) == []


def test_tables_of_others_survive_even_if_they_look_like_ours(harbour: Harbour) -> None:
    names = ("filter", "seatrial_theirs", "seatrial_" + "a" * 32)
    for name in names:
        nft.run(
            harbour.router, f"table inet {name} {{ chain c {{ type filter hook forward priority 0; }}; }}\n"
        )
    try:
        fault = partition()
        undo = fault.prepare(harbour.role)
        fault.inject(undo)
        fault.undo(undo)
        listed = nft.run(harbour.router, "list tables\n")
        assert all(f"table inet {name}\n" in listed for name in names)
        assert undo.token not in listed
    finally:
        for name in names:
            nft.run(harbour.router, f"delete table inet {name}\n")


def test_in_a_session_and_after_a_reboot_of_the_namespace(harbour: Harbour, home: Path) -> None:
    with FaultSession(home, "shop", experiment="e", run="r", faults=["network.partition"]) as drill:
        drill.inject(partition(), harbour.role, ttl_s=30)
        assert not harbour.passes(harbour.west, harbour.east)
    assert [(outcome.settled, outcome.verified) for outcome in drill.outcomes] == [(True, True)]
    assert harbour.passes(harbour.west, harbour.east)
    assert recover(home) == []


def test_what_was_prepared_and_not_injected_leaves_nothing(harbour: Harbour) -> None:
    fault = partition()
    fault.undo(fault.prepare(harbour.role))
    assert nft.tables(harbour.router) == []


def test_what_makes_no_sense_is_refused(harbour: Harbour) -> None:
    with pytest.raises(BadInput, match="has no side 'wets'; did you mean 'west'"):
        registry.build("network.partition", {"between": ["east", "wets"]}).prepare(harbour.role)
    with pytest.raises(BadInput, match="allow"):
        partition().prepare(replace(harbour.role, allow=("10.91.1.0/24",)))
    with pytest.raises(Unavailable, match="there is no network namespace nowhere"):
        partition().prepare(
            replace(harbour.role, parameters={**harbour.role.parameters, "namespace": "nowhere"})
        )
    with pytest.raises(BadInput, match="is no name of a network namespace"):
        partition().prepare(
            replace(harbour.role, parameters={**harbour.role.parameters, "namespace": "../etc"})
        )
