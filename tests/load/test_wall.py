"""What the wall lets out, what it does not, what it tells of it, and that it holds in a real load process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.load.test_launch import SCENARIO, ended, plan
from tests.support.listeners import http, listening
from tests.support.locusts import two_processes

from seatrial.load import failure
from seatrial.load.launch import LOG, launch
from seatrial.load.scenario_errors import CONNECTING
from seatrial.load.wall import ALLOW, Attempt, HostNotAllowed, Unseen, Wall, _Resolver
from seatrial.model.allow import AllowList

V4 = SimpleNamespace(family=socket.AF_INET)
V6 = SimpleNamespace(family=socket.AF_INET6)


@dataclass
class Dns:
    """Names and a clock."""

    names: dict[str, list[str]] = field(default_factory=dict)
    now_s: float = 0.0
    asked: int = 0
    takes_s: float = 0.0

    def __call__(self, name: str) -> Iterable[str]:
        self.asked += 1
        self.now_s += self.takes_s
        return self.names.get(name, [])

    def clock(self) -> float:
        return self.now_s


def wall(*allow: str, dns: Dns | None = None, name_servers: Iterable[str] = ()) -> Wall:
    dns = dns or Dns()
    return Wall(AllowList.of(allow), resolve=dns, name_servers=name_servers, clock=dns.clock)


def lets(standing: Wall, sock: Any, address: Any) -> bool:
    before = standing.attempts.total()
    try:
        standing.judge(sock, address)
    except HostNotAllowed:
        assert standing.attempts.total() == before + 1
        return False
    assert standing.attempts.total() == before
    return True


@pytest.mark.parametrize(
    ("sock", "address", "passes"),
    [
        (V4, ("127.0.0.1", 80), True),
        (V4, ("127.0.0.2", 80), False),
        (V4, ("2130706434", 80), False),
        (V4, (b"127.0.0.1", 80), True),
        (V4, ("0.0.0.0", 80), False),  # the address itself
        (V4, ("", 80), False),
        (V4, ("<broadcast>", 80), False),
        (V4, ("nowhere.example", 80), False),
        (V4, ("shop.internal", 80), True),  # by its address, though it is not listed
        (V4, ("both.internal", 80), False),  # nobody says to which of them
        (V4, "127.0.0.1", False),
        (V4, None, True),  # sendmsg on a connection
        (V6, ("::ffff:127.0.0.1", 80, 0, 0), True),
        (V6, ("::ffff:127.0.0.2", 80, 0, 0), False),
        (V6, ("fd00::1", 80, 0, 0), True),
        (V6, ("fe80::1%eth0", 80, 0, 2), False),
        (SimpleNamespace(family=socket.AF_UNIX), "/run/some.sock", True),
        (SimpleNamespace(family=socket.AF_NETLINK), (0, 0), True),
        (SimpleNamespace(family=socket.AF_PACKET), ("eth0", 0), False),
        (SimpleNamespace(family=40), (2, 80), False),  # AF_VSOCK: another machine, and no address to judge
    ],
)
def test_a_connection_is_judged_by_its_address(sock: Any, address: Any, passes: bool) -> None:
    dns = Dns({"shop.internal": ["127.0.0.1"], "both.internal": ["127.0.0.1", "127.0.0.2"]})
    assert lets(wall("127.0.0.1", "fd00::/8", dns=dns), sock, address) is passes


def test_name_servers_may_be_asked_and_nothing_else_of_them() -> None:
    standing = wall("127.0.0.1", name_servers=["10.0.0.53"])
    assert lets(standing, V4, ("10.0.0.53", 53))
    assert not lets(standing, V4, ("10.0.0.53", 80))


def test_a_listed_name_is_followed_when_it_moves_and_the_old_address_is_forgotten() -> None:
    dns = Dns({"db.internal": ["10.0.0.1"]})
    standing = wall("db.internal", dns=dns)
    assert lets(standing, V4, ("10.0.0.1", 5432))
    dns.names["db.internal"], dns.now_s = ["10.0.0.2"], 5.0
    assert lets(standing, V4, ("10.0.0.2", 5432))
    assert lets(standing, V4, ("10.0.0.1", 5432))  # who was connected a moment ago may still be
    dns.now_s = 62.0
    assert not lets(standing, V4, ("10.0.0.1", 5432))
    assert lets(standing, V4, ("10.0.0.2", 5432))


def test_name_servers_that_are_silent_move_nobody() -> None:
    dns = Dns({"db.internal": ["10.0.0.1"]})
    standing = wall("db.internal", dns=dns)
    assert lets(standing, V4, ("10.0.0.1", 5432))
    dns.names.clear()
    dns.now_s = 100.0
    assert lets(standing, V4, ("10.0.0.1", 5432))
    assert not lets(standing, V4, ("10.0.0.2", 5432))


def test_slow_name_servers_hold_up_a_tenth_of_the_load_at_most() -> None:
    dns = Dns(takes_s=5.0)
    standing = wall("db.internal", dns=dns)
    while dns.now_s < 1000.0:
        assert not lets(standing, V4, ("192.0.2.1", 80))
        dns.now_s += 0.01
    assert dns.asked * 5.0 <= 100.0


def test_what_somebody_here_has_resolved_is_known_without_asking() -> None:
    dns = Dns()
    standing = wall("db.internal", dns=dns)
    assert standing.resolved("db.internal", ["10.0.0.9"]) == {
        "10.0.0.9"
    }  # one of many, and another each time
    assert lets(standing, V4, ("10.0.0.9", 5432))
    assert dns.asked == 0


def test_a_scenario_that_insists_does_not_make_the_wall_ask_each_time() -> None:
    dns = Dns()
    standing = wall("db.internal", dns=dns)
    assert not any(lets(standing, V4, ("192.0.2.1", 80)) for _ in range(100))
    assert dns.asked == 1


def test_of_the_addresses_of_a_host_only_the_allowed_ones_are_told() -> None:
    class System:
        def getaddrinfo(self, *_: Any) -> Any:
            return [
                (socket.AF_INET6, 1, 6, "", ("::1", 80, 0, 0)),
                (socket.AF_INET, 1, 6, "", ("127.0.0.1", 80)),
            ]

        def gethostbyname(self, _: str) -> str:
            return "127.0.0.1"

        def gethostbyname_ex(self, _: str) -> Any:
            return "localhost", [], ["127.0.0.1", "127.0.0.2"]

        def getnameinfo(self) -> str:
            return "untouched"

    resolver = _Resolver(System(), wall("127.0.0.1").resolved)
    assert [each[4][0] for each in resolver.getaddrinfo("localhost", 80)] == ["127.0.0.1"]
    assert resolver.gethostbyname("localhost") == "127.0.0.1"
    assert resolver.gethostbyname_ex("localhost") == ("localhost", [], ["127.0.0.1"])
    assert resolver.getnameinfo() == "untouched"
    nothing_allowed = _Resolver(System(), wall("10.0.0.1").resolved)
    assert len(nothing_allowed.getaddrinfo("localhost", 80)) == 2  # to be refused by name


def test_an_attempt_is_told_once_counted_and_has_its_place(caplog: pytest.LogCaptureFixture) -> None:
    standing = wall("127.0.0.1")
    standing.resolved("evil.internal", ["127.0.0.2"])
    for _ in range(3):
        with pytest.raises(
            PermissionError, match=r"evil\.internal \(127\.0\.0\.2\).*list: 127\.0\.0\.1"
        ) as caught:
            standing.judge(V4, ("127.0.0.2", 80))
    assert isinstance(caught.value, HostNotAllowed)
    attempt = caught.value.attempt
    assert attempt.place.startswith("test_wall.py:")
    assert standing.attempts == {Attempt("evil.internal", "127.0.0.2", attempt.place): 3}
    assert caplog.text.count("evil.internal") == 1
    standing.sum_up()
    assert "refused 3 times" in caplog.text


def test_whoever_is_told_of_refusals_is_told_of_each_before_the_library() -> None:
    standing, told = wall("127.0.0.1"), list[Attempt]()
    standing.on_refused = told.append
    for _ in range(2):
        assert not lets(standing, V4, ("127.0.0.2", 80))
    assert [attempt.address for attempt in told] == ["127.0.0.2", "127.0.0.2"]


def test_what_the_wall_cannot_see_is_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = wall("127.0.0.1")
    heard = standing.hook()
    monkeypatch.setitem(sys.modules, "pycurl", object())
    for _ in range(2):
        heard("subprocess.Popen", ("curl", ["curl", "http://127.0.0.2"], None, None))
        heard("open", ("/etc/passwd", "r", 0))
        standing.note_libraries()
    process, *libraries = standing.unseen
    assert process.what == "a process that is started there"
    assert process.place.startswith("test_wall.py:")
    assert Unseen("pycurl (it connects by libcurl)", "the scenario") in libraries
    assert set(standing.unseen.values()) == {2}
    assert caplog.text.count("its connections are not seen") == len(standing.unseen)


def test_it_hears_of_connections_before_they_are_made() -> None:
    """In a process of its own, because a hook stays for ever."""
    code = """
        import logging, socket, sys
        from seatrial.load.wall import Wall, HostNotAllowed
        from seatrial.model.allow import AllowList
        wall = Wall(AllowList.of(["127.0.0.1"]), resolve=lambda name: ["127.0.0.2"], name_servers=[])
        logging.disable()
        sys.addaudithook(wall.hook())
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for leave in (
            lambda: tcp.connect(("127.0.0.2", 9)),
            lambda: tcp.connect_ex(("127.0.0.2", 9)),
            lambda: socket.create_connection(("127.0.0.2", 9)),
            lambda: udp.connect(("127.0.0.2", 9)),
            lambda: udp.sendto(b"x", ("127.0.0.2", 9)),
            lambda: udp.sendto(b"x", 0, ("127.0.0.2", 9)),
            lambda: udp.sendmsg([b"x"], [], 0, ("127.0.0.2", 9)),
            lambda: tcp.connect(("localhost", 9)),
        ):
            try:
                leave()
            except HostNotAllowed as error:
                assert isinstance(error, OSError) and error.errno
            else:
                sys.exit("it left")
        assert wall.attempts.total() == 8, wall.attempts
        udp.sendto(b"x", ("127.0.0.1", 9))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_request_to_a_forbidden_host_is_the_scenarios_mistake(run_client: Any) -> None:
    result, rows = run_client("""
        from seatrial.load import failure, wall
        from seatrial.model.allow import AllowList
        wall.raise_wall(AllowList.of([url.split(":")[1].strip("/")]))
        client.get("/plain")
        try:
            client.get("http://127.0.0.2:9/x")
        except failure.NotAllowed as error:
            result = str(error)
    """)
    assert "127.0.0.2 is not in the allow list" in result
    assert [row["ok"] for row in rows] == [True, False]
    assert rows[1]["error"] == failure.of_the_scenario(failure.NotAllowed())
    assert not rows[1]["sent"]
    assert not rows[1]["ended"]


STRAYING = """
import socket, urllib.request
import requests
from locust import task
from seatrial.load import OpenLoopUser

try:
    urllib.request.urlopen("http://127.0.0.2:PORT/while-importing")
except OSError:
    pass

class Visitor(OpenLoopUser):
    number = 0
    @task
    def stray(self):
        Visitor.number += 1
        self.client.get("/plain")
        match Visitor.number % 6:
            case 0: self.client.get("http://127.0.0.2:PORT/client")
            case 1: self.client.get("http://2130706434:PORT/decimal")
            case 2: urllib.request.urlopen("http://127.0.0.2:PORT/urllib")
            case 3: requests.get("http://[::ffff:127.0.0.2]:PORT/requests")
            case 4: requests.get("http://127.0.0.1:MOVED/")
            case 5:
                try:
                    socket.create_connection(("0x7f.2", PORT))
                except OSError:
                    pass  # and nobody is told by the library
"""


@pytest.fixture
def two_servers(http_server: Any) -> Iterator[tuple[Any, Any, Any]]:
    """One that is allowed, one on another address, and one that sends everybody there."""
    with listening(lambda _: iter([http(b"")]), "127.0.0.2") as forbidden:
        moved = http(b"", "302 Found", f"Location: {forbidden.url}/redirected")
        with listening(lambda _: iter([moved])) as mover:
            yield http_server, forbidden, mover


@pytest.mark.e2e
def test_nothing_reaches_a_forbidden_host_whatever_library_asks(
    tmp_path: Path, two_servers: tuple[Any, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed, forbidden, mover = two_servers
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, forbidden.url)
    scenario = STRAYING.replace("PORT", str(forbidden.port)).replace("MOVED", str(mover.port))
    process = ended(launch(replace(plan(tmp_path, allowed.url, scenario), allow=("127.0.0.1",))))
    log = process.finish()
    assert forbidden.heard == []
    assert len(mover.heard) > 10
    assert len([request for request in allowed.requests if request.path == "/plain"]) == 170
    assert log.ok.sum() == 170
    said = (process.plan.directory / LOG).read_text()
    refusals = [line for line in said.splitlines() if ": refused " in line]
    places = {line.split("seatrial.load.wall: ")[1].split(": ")[0] for line in refusals}
    lines = STRAYING.splitlines()
    expected = [number for number, line in enumerate(lines, 1) if "PORT" in line or "MOVED" in line]
    assert places == {f"scenario.py:{number}" for number in expected}
    told = process.scenario
    assert {error.place for error in told.errors} == places
    assert {error.during for error in told.errors} == {CONNECTING}
    assert sum(error.count for error in told.errors) == told.failed > 100
    assert "2130706434 (127.0.0.2): refused " in said
    assert "0x7f.2 (127.0.0.2): refused " in said


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("more", "reached"),
    [((), False), pytest.param(("--allow", "127.0.0.2"), True, marks=pytest.mark.long)],
)
def test_stock_locust_touches_its_host_and_what_it_is_allowed_besides(
    tmp_path: Path, two_servers: tuple[Any, Any, Any], more: tuple[str, ...], reached: bool
) -> None:
    allowed, forbidden, _ = two_servers
    scenario = tmp_path / "scenario.py"
    scenario.write_text(SCENARIO.replace('"/plain"', f'"{forbidden.url}/x"'))
    environment = {name: value for name, value in os.environ.items() if name != ALLOW}
    command = [
        sys.executable, "-m", "locust", "-f", str(scenario), "--host", allowed.url, "--headless", "--only-summary",
        "--rate", "50/s", "--duration", "500ms", *two_processes(), *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert bool(forbidden.heard) is reached, done.stderr
    assert ("is not in the allow list" in done.stderr) is not reached
    assert (done.returncode == 0) is reached
