"""network.delay: packets between two sides take longer, in order, and the straight way once it has ended."""

from __future__ import annotations

import json
import random
import shlex
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.routed_namespaces import RoutedNamespaces
from tests.support.waiting import wait_until

from seatrial.drivers import nft
from seatrial.faults.companions.detour import Wander
from seatrial.faults.network_delay import NetworkDelay, ip
from seatrial.model.problems import BadInput
from seatrial.processes import send, tagged
from seatrial.undo import FaultSession, recover, registry
from seatrial.undo.protocol import Fault, Undo

LACKING = NetworkDelay(between=("east", "west"), delay="1ms").lacking()  # type: ignore[arg-type]
real = [pytest.mark.root, pytest.mark.skipif(bool(LACKING), reason=LACKING or "all there")]
_HELD_S = 0.05

# Datagrams there and back, each with its number: prints the seconds that each took, in the order of return.
ROUND_TRIPS = """
import json, socket, sys, time
address, count, every_s, size = sys.argv[1], *map(float, sys.argv[2:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: many may come at once
s.connect((address, 7000))
s.settimeout(0.0)
sent, took, begin = {}, [], time.monotonic()
while len(took) < count and time.monotonic() < begin + count * every_s + 3:
    if len(sent) < count and time.monotonic() >= begin + len(sent) * every_s:
        number = len(sent)
        sent[number] = time.monotonic()
        s.send(str(number).encode().ljust(int(size)))
    try:
        number = int(s.recv(2048))
        took.append((number, time.monotonic() - sent[number]))
    except BlockingIOError:
        time.sleep(0.00005)
print(json.dumps(took))
"""

RECEIVE = """
import hashlib, socket
s = socket.create_server(("0.0.0.0", 7001))
print("ready", flush=True)
c, _ = s.accept()
digest, size = hashlib.sha256(), 0
while data := c.recv(1 << 20):
    digest.update(data)
    size += len(data)
print(size, digest.hexdigest())
"""

SEND = """
import hashlib, os, socket, sys
c = socket.create_connection((sys.argv[1], 7001))
data = os.urandom(1 << 20)
digest = hashlib.sha256()
for _ in range(int(sys.argv[2])):
    c.sendall(data)
    digest.update(data)
c.shutdown(socket.SHUT_WR)
print(int(sys.argv[2]) << 20, digest.hexdigest())
"""


def delay(**parameters: Any) -> Any:
    return registry.build("network.delay", {"between": ["east", "west"], "delay": "50ms", **parameters})


def round_trips(
    routed: RoutedNamespaces, count: int = 20, every_s: float = 0.002, size: int = 32
) -> list[tuple[int, float]]:
    command = routed.inside(
        routed.east, ROUND_TRIPS, routed.address(routed.west), str(count), str(every_s), str(size)
    )
    took = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    return [(number, seconds) for number, seconds in took]


def quickest(took: list[tuple[int, float]]) -> float:
    """Any other may have waited for the processor."""
    return min(seconds for _, seconds in took)


def injected(fault: Fault, routed: RoutedNamespaces) -> Undo:
    undo = fault.prepare(routed.role)
    fault.inject(undo)
    return undo


@pytest.mark.parametrize(("ways", "times"), [("both", 2), ("forward", 1)])
class TestHeld:
    pytestmark = real

    def test_each_way_takes_the_delay_longer_and_nothing_is_lost(
        self, routed: RoutedNamespaces, ways: str, times: int
    ) -> None:
        fault = delay(ways=ways)
        undo = injected(fault, routed)
        took = round_trips(routed, 50)
        assert [number for number, _ in took] == list(range(50))
        assert quickest(took) >= times * _HELD_S
        assert quickest(took) < (times + 1) * _HELD_S  # the other way, were it held, would add as much
        assert not fault.healthy(routed.role)
        assert not fault.gone(undo)
        for _ in range(2):
            registry.build(undo.fault, undo.with_).undo(undo)
            assert quickest(round_trips(routed)) < _HELD_S
        assert fault.healthy(routed.role)
        assert fault.gone(undo)
        assert tagged(undo.token) == []


class TestPackets:
    pytestmark = real

    def test_jitter_keeps_the_order(self, routed: RoutedNamespaces) -> None:
        fault = delay(delay="20ms", jitter="20ms")
        undo = injected(fault, routed)
        took = round_trips(routed, 300, 0.001)
        fault.undo(undo)
        assert [number for number, _ in took] == list(range(300))

    def test_a_bulk_transfer_arrives_whole(self, routed: RoutedNamespaces) -> None:
        fault = delay(delay="5ms")
        undo = injected(fault, routed)
        with subprocess.Popen(routed.inside(routed.west, RECEIVE), stdout=subprocess.PIPE) as receiver:
            assert receiver.stdout is not None
            assert receiver.stdout.readline() == b"ready\n"
            command = routed.inside(routed.east, SEND, routed.address(routed.west), "64")
            sent = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
            assert receiver.stdout.read() == sent
        fault.undo(undo)

    def test_a_router_that_is_strict_about_sources_lets_them_pass(self, routed: RoutedNamespaces) -> None:
        strict = ["ip", "netns", "exec", routed.router, "sysctl", "-q", "-w", "net.ipv4.conf.all.rp_filter"]
        subprocess.run([*strict[:-1], f"{strict[-1]}=1"], check=True)
        try:
            fault = delay()
            undo = injected(fault, routed)
            assert quickest(round_trips(routed)) >= 2 * _HELD_S
            fault.undo(undo)
        finally:
            subprocess.run([*strict[:-1], f"{strict[-1]}=0"], check=True)

    def test_of_two_delays_one_counts(self, routed: RoutedNamespaces) -> None:
        short, long = delay(delay="20ms"), delay(delay="100ms")
        undos = [injected(short, routed), injected(long, routed)]
        assert quickest(round_trips(routed)) < 2 * (0.02 + 0.1)
        short.undo(undos[0])
        assert quickest(round_trips(routed)) >= 0.2
        long.undo(undos[1])
        assert long.healthy(routed.role)

    def test_the_undo_loses_no_packet(self, routed: RoutedNamespaces) -> None:
        fault = delay(delay="300ms")
        undo = injected(fault, routed)
        command = routed.inside(routed.east, ROUND_TRIPS, routed.address(routed.west), "400", "0.001", "1400")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as trips:
            wait_until(lambda: passed_by(routed, undo) > 100, what="packets are held")
            fault.undo(undo)
            took = json.loads(trips.communicate(timeout=30)[0])
        assert sorted(number for number, _ in took) == list(range(400))


def passed_by(routed: RoutedNamespaces, undo: Undo) -> int:
    """Packets that were marked so far."""
    words = nft.run(routed.router, f"list table inet {nft.table_of(undo.token)}\n").split()
    return sum(int(words[place + 1]) for place, word in enumerate(words) if word == "packets")


class TestEnds:
    pytestmark = real

    def test_packets_go_straight_when_the_companion_is_killed(self, routed: RoutedNamespaces) -> None:
        fault = delay()
        undo = injected(fault, routed)
        (companion,) = tagged(undo.token)
        send(companion, signal.SIGKILL)
        wait_until(lambda: not tagged(undo.token))
        assert quickest(round_trips(routed)) < _HELD_S
        assert not fault.healthy(routed.role)
        fault.undo(undo)
        assert fault.healthy(routed.role)

    def test_the_companion_ends_with_its_conductor(self, routed: RoutedNamespaces) -> None:
        program = (
            "import sys, os, signal; from seatrial.undo import Undo, registry;"
            "undo = Undo.from_json(sys.argv[1]);"
            "registry.build(undo.fault, undo.with_).inject(undo);"
            "os.kill(os.getpid(), signal.SIGKILL)"
        )
        fault = delay()
        undo = fault.prepare(routed.role)
        subprocess.run([sys.executable, "-c", program, undo.to_json()], check=False, timeout=30)
        wait_until(lambda: not tagged(undo.token), what="the companion has ended by itself")
        assert fault.healthy(routed.role)
        fault.undo(undo)

    def test_in_a_session(self, routed: RoutedNamespaces, home: Path) -> None:
        with FaultSession(home, "shop", experiment="e", run="r", faults=["network.delay"]) as drill:
            drill.inject(delay(), routed.role, ttl_s=30)
            assert quickest(round_trips(routed)) >= 2 * _HELD_S
        assert [(outcome.undone, outcome.verified) for outcome in drill.outcomes] == [(True, True)]
        assert recover(home) == []

    def test_rules_and_tables_of_others_survive(self, routed: RoutedNamespaces) -> None:
        theirs = ["fwmark", "0x7", "lookup", "77", "priority", "1000"]
        ip(routed.router, "ip", ["rule", "add", *theirs])
        nft.run(routed.router, "table inet theirs { chain c { type filter hook forward priority 0; }; }\n")
        try:
            fault = delay()
            undo = injected(fault, routed)
            fault.undo(undo)
            assert "fwmark 0x7 lookup 77" in ip(routed.router, "ip", ["rule", "show"])
            assert nft.run(routed.router, "list tables\n").strip() == "table inet theirs"
        finally:
            ip(routed.router, "ip", ["rule", "del", *theirs])
            nft.run(routed.router, "delete table inet theirs\n")

    def test_what_was_prepared_and_not_injected_leaves_nothing(self, routed: RoutedNamespaces) -> None:
        fault = delay()
        fault.undo(fault.prepare(routed.role))
        assert fault.healthy(routed.role)

    @pytest.mark.parametrize("killed", [False, True])
    def test_what_a_person_would_type_undoes_it(self, routed: RoutedNamespaces, killed: bool) -> None:
        fault = delay()
        undo = injected(fault, routed)
        (companion,) = tagged(undo.token)
        end, _, remove = undo.by_hand.partition("; and had it been killed before: ")
        if killed:
            send(companion, signal.SIGKILL)
            for command in remove.split("; "):
                subprocess.run(command.split(), check=True)
        else:
            subprocess.run(shlex.split(end), check=True)
        wait_until(lambda: not tagged(undo.token))
        assert fault.healthy(routed.role)
        fault.undo(undo)


@given(
    delay_ms=st.floats(1, 1000),
    share=st.floats(0, 1),
    gaps_ms=st.lists(st.floats(0, 500), min_size=2, max_size=60),
    seed=st.integers(0, 1000),
)
def test_no_packet_overtakes_another(delay_ms: float, share: float, gaps_ms: list[float], seed: int) -> None:
    wander = Wander(delay_ms / 1000, share * delay_ms / 1000, random.Random(seed))
    now, leaves = 100.0, []
    for gap_ms in gaps_ms:
        now += gap_ms / 1000
        held = wander.at(now)
        assert (1 - share) * delay_ms / 1000 - 1e-9 <= held <= (1 + share) * delay_ms / 1000 + 1e-9
        leaves.append(now + held)
    assert all(before <= after + 1e-9 for before, after in pairwise(leaves))


def test_the_delay_wanders_over_the_whole_of_the_jitter() -> None:
    wander = Wander(0.065, 0.015, random.Random(1))
    held = [wander.at(millisecond / 1000) for millisecond in range(10_000)]
    assert 0.050 <= min(held) < 0.052
    assert 0.078 < max(held) <= 0.080
    assert abs(sum(held) / len(held) - 0.065) < 0.002


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"delay": "0s"}, "must lie between 0 and 10s"),
        ({"delay": "1m"}, "must lie between 0 and 10s"),
        ({"delay": "10ms", "jitter": "11ms"}, "more than the delay"),
        ({"delay": "10ms", "ways": "none"}, "with.ways"),
    ],
)
def test_what_makes_no_sense_is_refused(parameters: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        delay(**parameters)
