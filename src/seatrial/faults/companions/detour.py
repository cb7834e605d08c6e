"""The companion of network.delay: takes packets out of a TUN device, holds each for a while, puts it back.

    python -m seatrial.faults.companions.detour STARTER TOKEN ROUTE DELAY_S JITTER_S        (ROUTE: JSON)

Device and route end with this process; what is left of its rule and table then leads nowhere. Packets come
and go with the kernel's header for offloads before them, so a large one of TCP's stays in one piece, and its
checksum is somebody else's business. They leave in the order in which they came, so one queue is enough.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import random
import select
import signal
import struct
import sys
import time
from collections import deque
from pathlib import Path

from seatrial.drivers import nft
from seatrial.drivers.launch import Starter, say_ready
from seatrial.faults.network_delay import Detour, Route, ip, lead_straight
from seatrial.model.problems import SeatrialError

# include/uapi/linux/if_tun.h, sched.h
_TUNSETIFF, _TUNSETOFFLOAD = 0x400454CA, 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_CSUM, _TSO4, _TSO6, _TSO_ECN = 1, 2, 4, 8
_CLONE_NEWNET = 0x40000000
_LARGEST = 65535 + 64  # the greatest packet and its header
_AT_ONCE = 256  # packets read before those that are due are looked after
_BRIEFEST_S = 0.001  # a change of the delay takes at least as long
_WATCH_EVERY_S = 0.1


class Wander:
    """How long a packet that comes at an instant is held: between `delay` - `jitter` and `delay` + `jitter`.

    Straight lines join points drawn at random every 4 · jitter. So it changes by at most 2 · jitter in
    4 · jitter, half as fast as time goes by, and no packet overtakes another: as where queues fill and drain.
    """

    def __init__(self, delay_s: float, jitter_s: float, chance: random.Random) -> None:
        self._delay_s, self._jitter_s, self._chance = delay_s, jitter_s, chance
        self._begins, self._ends = 0.0, 0.0
        self._from_s = self._to_s = delay_s

    def at(self, instant: float) -> float:
        """Seconds; instants must ascend."""
        if instant >= self._ends:
            self._begins, self._ends = instant, instant + max(4 * self._jitter_s, _BRIEFEST_S)
            self._from_s = self._to_s
            self._to_s = self._delay_s + self._chance.uniform(-self._jitter_s, self._jitter_s)
        passed = (instant - self._begins) / (self._ends - self._begins)
        return self._from_s + (self._to_s - self._from_s) * passed


def main(arguments: list[str]) -> None:
    """Lead packets round until whoever started it is gone or SIGTERM comes, and lose none then."""
    starter, detour = Starter(arguments[0]), Detour(arguments[1])
    route = Route.model_validate_json(arguments[2])
    wander = Wander(float(arguments[3]), float(arguments[4]), random.Random())
    told = signal_pipe()
    # A packet that waits for the processor is late, by 10 ms and more on a busy machine: so we go first.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    gc.disable()  # nothing here refers to itself, and a collection would make packets wait
    tun = _device(detour, route.namespace)
    try:
        _lead(detour, route)
        say_ready()
        held = _hold(tun, told, starter, wander)
        lead_straight("", detour, route)  # before the device goes: while it does, packets would be lost
        _let_go(tun, held, wander)
    finally:
        os.close(tun)


def signal_pipe() -> int:
    """A descriptor that can be read once SIGTERM has come."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGTERM, lambda *_: None)
    return reading


def _device(detour: Detour, namespace: str) -> int:
    """A TUN device in `namespace`, where this process is from now on."""
    if namespace:
        libc = ctypes.CDLL(None, use_errno=True)
        with nft.place_of(namespace).open() as place:
            if libc.setns(place.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    flags = _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", detour.device.encode(), flags))
    fcntl.ioctl(tun, _TUNSETOFFLOAD, _CSUM | _TSO4 | _TSO6 | _TSO_ECN)
    return tun


def _lead(detour: Detour, route: Route) -> None:
    """Route what is marked into the device, and last of all mark it."""
    device = detour.device
    ip("", "ip", ["link", "set", device, "mtu", "65535", "txqueuelen", "10000", "up"])
    for family in {family for family, _ in route.matches}:
        settings = Path("/proc/sys/net") / ("ipv4" if family == "ip" else "ipv6") / "conf" / device
        (settings / "forwarding").write_text("1")
        if family == "ip":
            # What comes back has a source that belongs elsewhere: the kernel lets it pass only if it looks
            # loosely, and looks at all only at a device that has an address.
            (settings / "rp_filter").write_text("2")
            ip("", family, ["addr", "add", detour.address, "dev", device])
        ip("", family, ["route", "add", "default", "dev", device, "table", str(detour.number)])
        ip("", family, ["rule", "add", *detour.rule()])
    nft.run("", detour.table([match for _, match in route.matches]))


def _hold(tun: int, told: int, starter: Starter, wander: Wander) -> deque[tuple[float, bytes]]:
    """Until it is over; what is held still, and until when."""
    held: deque[tuple[float, bytes]] = deque()
    look_at = 0.0
    while True:
        now = time.monotonic()
        if now >= look_at:
            if not starter.lives():
                return held
            look_at = now + _WATCH_EVERY_S
        while held and held[0][0] <= now:
            _put_back(tun, held.popleft()[1])
        due = held[0][0] if held else look_at
        ready, _, _ = select.select([tun, told], [], [], max(0.0, min(due, look_at) - time.monotonic()))
        if told in ready:
            return held
        if tun in ready:
            _take(tun, held, wander)


def _let_go(tun: int, held: deque[tuple[float, bytes]], wander: Wander) -> None:
    while held or _take(tun, held, wander):
        _put_back(tun, held.popleft()[1])


def _take(tun: int, held: deque[tuple[float, bytes]], wander: Wander) -> bool:
    """Queue what has come; whether anything had."""
    for _ in range(_AT_ONCE):
        try:
            packet = os.read(tun, _LARGEST)
        except BlockingIOError:
            break
        now = time.monotonic()
        held.append((now + wander.at(now), packet))
    return bool(held)


def _put_back(tun: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # the kernel has no use for it: it is lost, as on any router
        os.write(tun, packet)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, SeatrialError) as problem:
        sys.exit(str(problem))
