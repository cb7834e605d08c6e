"""Two sides and a router between them, each a network namespace of its own: east ── router ── west."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.model.role import Role

_ADDRESSES = {"east": "10.91.1.2", "west": "10.91.2.2"}
_ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: many may come at once
s.bind(("0.0.0.0", 7000))
print("ready", flush=True)
while True:
    data, sender = s.recvfrom(2048)
    s.sendto(data, sender)
"""


def ip(*words: str) -> None:
    """The program `ip`."""
    subprocess.run(["ip", *words], check=True)


@dataclass
class RoutedNamespaces:
    """The namespaces; on both sides, whatever comes to UDP port 7000 is sent back."""

    role: Role
    router: str
    east: str
    west: str

    def address(self, side: str) -> str:
        """Where a side is."""
        return _ADDRESSES["east" if side == self.east else "west"]

    def inside(self, namespace: str, program: str, *arguments: str) -> list[str]:
        """The command that runs a Python program in a namespace."""
        return ["ip", "netns", "exec", namespace, sys.executable, "-I", "-S", "-c", program, *arguments]

    def passes(self, source: str, target: str) -> bool:
        """Whether a datagram from one to the other is answered."""
        program = (
            "import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
            "s.settimeout(0.3); s.sendto(b'?', (sys.argv[1], 7000)); s.recv(1)"
        )
        command = self.inside(source, program, self.address(target))
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


@contextlib.contextmanager
def building(directory: Path) -> Iterator[RoutedNamespaces]:
    """Build one, and remove it in the end. `directory`: where the role's relative paths start."""
    tag = f"seatrial-test-{uuid.uuid4().hex[:6]}"
    router, east, west = (f"{tag}-{side}" for side in ("r", "e", "w"))
    with contextlib.ExitStack() as stack:
        for namespace in (router, east, west):
            ip("netns", "add", namespace)
            stack.callback(ip, "netns", "del", namespace)
        for number, side in ((1, east), (2, west)):
            link = ("link", "add", f"to{number}", "type", "veth", "peer", "name", "up0", "netns", side)
            ip("-n", router, *link)
            ip("-n", router, "addr", "add", f"10.91.{number}.1/24", "dev", f"to{number}")
            ip("-n", side, "addr", "add", f"10.91.{number}.2/24", "dev", "up0")
            for namespace, device in ((router, f"to{number}"), (side, "up0"), (side, "lo")):
                ip("-n", namespace, "link", "set", device, "up")
            ip("-n", side, "route", "add", "default", "via", f"10.91.{number}.1")
            echo = subprocess.Popen(
                ["ip", "netns", "exec", side, sys.executable, "-I", "-S", "-c", _ECHO], stdout=subprocess.PIPE
            )
            stack.callback(echo.wait)
            stack.callback(echo.kill)
            assert echo.stdout is not None
            stack.enter_context(echo.stdout)
            assert echo.stdout.readline() == b"ready\n"
        forwarding = ["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]
        subprocess.run(["ip", "netns", "exec", router, *forwarding], check=True)
        sides = {"east": ["10.91.1.0/24"], "west": ["10.91.2.0/24"]}
        binding = {"namespace": router, "sides": sides}
        role = Role("router", "network", binding, ("10.91.0.0/16",), str(directory))
        yield RoutedNamespaces(role, router, east, west)
