"""Nothing leaves the load process for a host that is not allowed, whatever library asks.

    a scenario ─► self.client, requests, urllib, redis … ─► socket.connect ─► Wall ─► the network
                                                                               └── HostNotAllowed, counted

Python announces each `connect`, `sendto` and `sendmsg` of a socket to audit hooks (PEP 578) before it is
made, gevent's sockets included, with the address that it goes to. There the wall decides: redirects, proxies,
names and odd spellings of addresses have become an address by then. It stands before the scenario is
imported, and no hook can be taken away again.

What may pass: addresses in an allowed network; addresses that an allowed name resolves to, in this process
or, when nobody here has resolved it, when the wall asks (an address that a name has left, as in a failover by
DNS, is forgotten a minute after it was last seen); the name servers of /etc/resolv.conf on port 53; Unix
sockets and the kernel's own, which reach nobody but this machine.

The hook costs 0.2 µs an event, and a judgement 4 µs. At 2,000 requests a second there were 0.03 events a
request, because connections are kept: 80 connections and some imports in 8 s.

What the wall cannot see is what does not pass through Python's sockets:

* libraries that connect in C, C++ or Rust: libpq (psycopg, psycopg2), librdkafka (confluent_kafka), libcurl
  (pycurl, curl_cffi), gRPC's core, libmysqlclient, ODBC, uvloop, c-ares, ZeroMQ. Locust's master and workers
  talk over ZeroMQ. A scenario that has loaded one of the others is told in the log, by the library's name;
* processes that a scenario starts. They are not stopped, because imports of many libraries start some
  (ldconfig, git); they are told with their place;
* what a proxy at an allowed address does for the scenario. Proxies that the environment names are therefore
  removed from it (`python -m seatrial.load`).
"""

from __future__ import annotations

import errno
import functools
import logging
import socket
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from seatrial.load.failure import COUNTED
from seatrial.model.allow import AllowList, address_of, canonical

ALLOW = "SEATRIAL_ALLOW"  # in the environment of a load process: its whole allow list, comma-separated

_LEAVING = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg"))
_STARTING = frozenset(("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"))
_JUDGED = frozenset((socket.AF_INET, socket.AF_INET6))
_WITHIN = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
_IN_C = {
    "psycopg": "libpq", "psycopg2": "libpq", "confluent_kafka": "librdkafka", "pycurl": "libcurl",
    "curl_cffi": "libcurl", "grpc": "gRPC's core", "MySQLdb": "libmysqlclient", "pyodbc": "ODBC",
    "uvloop": "libuv", "pycares": "c-ares",
}  # fmt: skip
_FORGOTTEN_AFTER_S = 60.0
_ASK_AGAIN_AFTER_S = 1.0  # a scenario that insists must not make the wall ask at every attempt
_PART_OF_ASKING = 10  # nor may name servers that take their time hold up the load for more than a tenth of it
_RESOLV_CONF = Path("/etc/resolv.conf")
_DNS = 53
_OURS = str(Path(__file__).parents[1])
_NOT_THE_SCENARIO = (
    _OURS,
    "<frozen ",
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)

logger = logging.getLogger(__name__)

_asked: ContextVar[tuple[str, frozenset[str]]] = ContextVar("asked", default=("", frozenset()))


def asked_for(host: str, addresses: Iterable[str]) -> None:
    """What this greenlet or thread connects to next it knows as `host`; for messages."""
    found = frozenset(addresses)
    if found != {host}:
        _asked.set((host, found))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A connection that was refused."""

    host: str  # as it was asked for, where that is known; else the address
    address: str
    place: str  # in the scenario: scenario.py:7

    @property
    def target(self) -> str:
        """Whom it was for, for people."""
        return self.host if self.host == self.address else f"{self.host} ({self.address})"

    def __str__(self) -> str:
        return f"{self.place}: {self.target}"


class HostNotAllowed(PermissionError):  # noqa: N818  # what it is
    """A scenario's connection to a host that is not allowed. For libraries, a failure to connect."""

    def __init__(self, attempt: Attempt, allow: AllowList) -> None:
        super().__init__(errno.EACCES, f"{attempt} is not in the allow list: {allow}")
        self.attempt = attempt


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something whose connections the wall does not see."""

    what: str
    place: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.place}: the allow list cannot be held for {self.what}: its connections are not seen"


class Wall:
    """Judges what leaves this process. `attempts` and `unseen` say what it met.

    `on_refused` is called for every refusal, before the scenario's library gets to know of it.
    """

    def __init__(
        self,
        allow: AllowList,
        *,
        resolve: Callable[[str], Iterable[str]] | None = None,
        name_servers: Iterable[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.attempts: Counter[Attempt] = Counter()
        self.unseen: Counter[Unseen] = Counter()
        self.on_refused: Callable[[Attempt], None] = lambda _: None
        self._resolve = resolve or _addresses_of
        self._name_servers = {
            address_of(server) for server in (_name_servers() if name_servers is None else name_servers)
        }
        self._clock = clock
        self._seen_s: dict[tuple[str, str], float] = {}  # an allowed name, an address of it → when last seen
        self._ask_again_s = float("-inf")
        self.allow_only(allow)

    def allow_only(self, allow: AllowList) -> None:
        """From now on this list counts, and refusals are counted anew."""
        self._allow = allow
        self._holds = functools.lru_cache(4096)(allow.holds)
        self._seen_s.clear()
        self.attempts.clear()
        self._ask_again_s = float("-inf")

    def hook(self) -> Callable[[str, tuple[Any, ...]], None]:
        """For `sys.addaudithook`. It hears of all that happens in the process, so it lets go at once."""
        leaving, starting, judge, note = _LEAVING, _STARTING, self.judge, self._note_process

        def heard(event: str, arguments: tuple[Any, ...]) -> None:
            if event in leaving:
                judge(*arguments)
            elif event in starting:
                note()

        return heard

    def judge(self, sock: Any, address: Any) -> None:
        """Raise HostNotAllowed unless `sock` may connect or send to `address`."""
        if address is None or sock.family in _WITHIN:  # None: connected already, and judged then
            return
        if sock.family in _JUDGED and isinstance(address, tuple) and len(address) >= 2:
            host = _text(address[0])
            if self._admits(host, address[1]):
                return
        else:
            host = repr(address)[:80]
        name, addresses = _asked.get()
        attempt = Attempt(name if host in addresses else host, host, _place() or _innermost())
        self.attempts[attempt] += 1
        if self.attempts[attempt] == 1:
            self._log(f"{attempt} is not in the allow list and was not touched (told once, and counted)")
        self.on_refused(attempt)
        raise HostNotAllowed(attempt, self._allow)

    def resolved(self, host: str, addresses: Iterable[str]) -> set[str]:
        """Somebody in this process has resolved `host` to these addresses: those that it may be told of.

        Where some are allowed, the others are kept from it, and nobody tries them in vain (`localhost` is ::1
        as well). Where none is, all are told: whoever connects to one of them is refused, by its name.
        """
        found = set(addresses)
        asked_for(host, found)
        if self._allow.is_listed(host):
            self._see(canonical(host), map(_plain, found))
        return {address for address in found if self._admits(address)} or found

    def sum_up(self) -> None:
        """A line in the log for each host and place: how often it was attempted."""
        for attempt, count in list(self.attempts.items()):
            self._log(f"{attempt}: refused {'once' if count == 1 else f'{count:,} times'}")

    def _admits(self, host: str, port: object = None) -> bool:
        literal = address_of(host)
        if literal is None:
            # A name, handed to the socket itself: the system has resolved it, and does not say to what.
            found = list(self._resolve(host))
            return bool(found) and len(self._allow.admitted(host, found, self._resolve)) == len(found)
        if self._holds(host) or (port == _DNS and literal in self._name_servers):
            return True
        return bool(self._allow.names) and self._is_of_a_listed_name(_plain(host))

    def _is_of_a_listed_name(self, address: str) -> bool:
        if self._was_seen(address):
            return True
        began_s = self._clock()
        if began_s < self._ask_again_s:
            return False
        for name in self._allow.names:
            known = [other for named, other in list(self._seen_s) if named == name]
            self._see(
                name, list(map(_plain, self._resolve(name))) or known
            )  # DNS that is silent moves nobody
        ended_s = self._clock()
        self._ask_again_s = ended_s + max(_ASK_AGAIN_AFTER_S, _PART_OF_ASKING * (ended_s - began_s))
        return self._was_seen(address)

    def _see(self, name: str, addresses: Iterable[str]) -> None:
        now_s = self._clock()
        self._seen_s.update(((name, address), now_s) for address in addresses)

    def _was_seen(self, address: str) -> bool:
        since_s = self._clock() - _FORGOTTEN_AFTER_S
        seen = list(self._seen_s.items())  # at once: a thread may be about to add to it
        return any(seen_s > since_s and other == address for (_, other), seen_s in seen)

    def _note_process(self) -> None:
        place = _place()
        if place:  # Locust forks its workers, and the wall stands in them as well
            self._note_unseen(Unseen("a process that is started there", place))

    def note_libraries(self) -> list[str]:
        """Look which of the libraries that connect without Python's sockets are loaded; a line each."""
        found = [
            Unseen(f"{module} (it connects by {core})", "the scenario")
            for module, core in _IN_C.items()
            if module in sys.modules
        ]
        for unseen in found:
            self._note_unseen(unseen)
        return list(map(str, found))

    def _note_unseen(self, unseen: Unseen) -> None:
        self.unseen[unseen] += 1
        if self.unseen[unseen] == 1:
            logger.warning("%s", unseen)

    def _log(self, line: str) -> None:
        logger.error("%s", line, extra={COUNTED: True})


_standing: Wall | None = None


def standing() -> Wall | None:
    """The wall of this process, if there is one."""
    return _standing


def raise_wall(allow: AllowList) -> Wall:
    """Put a wall around this process, for as long as it lives; where one stands, its list is replaced."""
    global _standing  # noqa: PLW0603  # an audit hook is the process's own as well
    if _standing is None:
        _standing = Wall(allow)
        sys.addaudithook(_standing.hook())
        _listen_to_resolver(_standing)
    else:
        _standing.allow_only(allow)
    return _standing


def tell_of_refusals(hear: Callable[[Attempt], None]) -> None:
    """Have `hear` called for every refusal from now on, and for those that have been."""
    if _standing is not None:
        for attempt in list(_standing.attempts.elements()):
            hear(attempt)
        _standing.on_refused = hear


def _listen_to_resolver(wall: Wall) -> None:
    import gevent  # noqa: PLC0415  # the rest of this module is usable without

    hub = gevent.get_hub()
    hub.resolver = _Resolver(hub.resolver, wall.resolved)


class _Resolver:
    """gevent's resolver, which tells the wall what it has found, and tells of what the wall leaves."""

    def __init__(self, resolver: Any, judge: Callable[[str, Iterable[str]], set[str]]) -> None:
        self._resolver = resolver
        self._judge = judge

    def getaddrinfo(self, host: Any, *arguments: Any, **options: Any) -> Any:
        answer = self._resolver.getaddrinfo(host, *arguments, **options)
        left = self._judge(_text(host), (each[4][0] for each in answer))
        return [each for each in answer if each[4][0] in left]

    def gethostbyname(self, host: Any, *arguments: Any) -> Any:
        address = self._resolver.gethostbyname(host, *arguments)
        self._judge(_text(host), (address,))
        return address

    def gethostbyname_ex(self, host: Any, *arguments: Any) -> Any:
        name, aliases, addresses = self._resolver.gethostbyname_ex(host, *arguments)
        left = self._judge(_text(host), addresses)
        return name, aliases, [address for address in addresses if address in left]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._resolver, name)


def _addresses_of(host: str) -> list[str]:
    """By the system, without gevent: a hook must not yield to anybody else."""
    import gevent.monkey  # noqa: PLC0415  # as above

    try:
        found = gevent.monkey.get_original("socket", "getaddrinfo")(host, None)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _name_servers() -> list[str]:
    """The resolver's name servers, for libraries that ask them by themselves."""
    try:
        lines = _RESOLV_CONF.read_text(errors="replace").splitlines()
    except OSError:
        return []
    words = (line.split() for line in lines)
    return [each[1] for each in words if len(each) > 1 and each[0] == "nameserver"]


def _plain(address: str) -> str:
    """One spelling for each address."""
    return str(address_of(address))


def _text(host: Any) -> str:
    if isinstance(host, bytes | bytearray):
        return host.decode(errors="replace")
    return str(host)


def _place() -> str:
    """The scenario's innermost line: neither Python's own, nor a package's, nor ours. Empty without one."""
    return _first_line(lambda file: not file.startswith(_NOT_THE_SCENARIO))


def _innermost() -> str:
    """The innermost line of anybody else, for a library at work in a thread of its own."""
    return _first_line(lambda file: not file.startswith(_OURS)) or "?"


def _first_line(wanted: Callable[[str], bool]) -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if wanted(file):
            return f"{Path(file).name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
