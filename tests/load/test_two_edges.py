"""A name with two addresses, a real HAProxy at each of them, and one of the two out of service."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gevent
import pytest
from gevent import socket
from tests.support.edges import HAPROXY, needs_haproxy
from tests.support.listeners import free_port
from tests.support.waiting import wait_until

from seatrial.load.dial import DEFAULT_TLS, Dialer, Origin
from seatrial.load.names import Address, Names
from seatrial.model.clients import Select

pytestmark = needs_haproxy
ADDRESSES = ("127.0.0.1", "127.0.0.2")
_CFG = """\
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend edge
  bind {address}:{port}
  http-request return status 200 content-type text/plain string {address}
"""


class Edges:
    """The two of them, on one port."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.processes = [self._start(root / address, address) for address in ADDRESSES]

    def _start(self, config: Path, address: str) -> subprocess.Popen[bytes]:
        config.write_text(_CFG.format(address=address, port=self.port))
        return subprocess.Popen([str(HAPROXY), "-db", "-f", str(config)], stderr=subprocess.DEVNULL)

    def accept(self) -> bool:
        """Whether both do."""
        for address in ADDRESSES:
            with socket.socket() as probe:
                if probe.connect_ex((address, self.port)):
                    return False
        return True

    def stop(self, number: int) -> None:
        """One of them stands still with all of its threads; its kernel still accepts connections."""
        process = self.processes[number]
        process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{process.pid}/task")

        def stand() -> bool:
            states = {each.read_text().rpartition(")")[2].split()[0] for each in threads.glob("*/stat")}
            return states == {"T"}

        wait_until(stand, what="it stands still")

    def resolve(self, _: str, port: int) -> list[Address]:
        """The answer of DNS."""
        return [(socket.AF_INET, (address, port)) for address in ADDRESSES]


@pytest.fixture
def edges(tmp_path: Path) -> Iterator[Edges]:
    both = Edges(tmp_path)
    try:
        wait_until(both.accept, what="both edges accept connections")
        yield both
    finally:
        for process in both.processes:
            process.kill()
            process.wait()


def arrivals(edges: Edges, select: Select, answered: int = 10) -> Counter[tuple[str, bool]]:
    """Whom each of ten strangers that come at once was connected to, and whether it was answered.

    So many are waited for; an edge whose process is stopped answers nobody, however long one waits.
    """
    names, seen = Names(select, resolve=edges.resolve), dict[int, tuple[str, bool]]()
    strangers = [gevent.spawn(_arrival, edges, names, seen, number) for number in range(10)]
    with gevent.Timeout(10.0):
        while len(seen) < 10 or sum(was for _, was in seen.values()) < answered:
            gevent.sleep(0.01)
    gevent.killall(strangers)
    return Counter(seen.values())


def _arrival(edges: Edges, names: Names, seen: dict[int, tuple[str, bool]], number: int) -> None:
    sock = Dialer(DEFAULT_TLS, names).dial(Origin("http", "shop.test", edges.port))
    with closing(sock), sock.makefile("rb") as answer:
        address = sock.getpeername()[0]
        seen[number] = (address, False)
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = answer.read().partition(b"\r\n\r\n")
        assert b" 200 " in head
        assert body.decode() == address
        seen[number] = (address, True)


def test_strangers_who_take_them_in_turn_meet_the_silent_one_every_other_time(edges: Edges) -> None:
    edges.stop(1)
    seen = arrivals(edges, "round-robin", answered=5)
    assert seen == {(ADDRESSES[0], True): 5, (ADDRESSES[1], False): 5}


def test_who_takes_the_first_meets_the_silent_one_always_or_never(edges: Edges) -> None:
    edges.stop(1)
    assert arrivals(edges, "first") == {(ADDRESSES[0], True): 10}
    edges.stop(0)
    assert arrivals(edges, "first", answered=0) == {(ADDRESSES[0], False): 10}


def test_one_that_is_killed_refuses_and_everybody_goes_to_the_other(edges: Edges) -> None:
    edges.processes[0].kill()
    edges.processes[0].wait()
    assert arrivals(edges, "round-robin") == {(ADDRESSES[1], True): 10}
    assert arrivals(edges, "first") == {(ADDRESSES[1], True): 10}
