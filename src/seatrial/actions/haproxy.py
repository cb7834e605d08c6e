"""The release that an HAProxy sends the traffic to: one entry of a map, exchanged on the stats socket.

    echo 'set map /run/haproxy/active.map active green' | socat stdio /run/haproxy/admin.sock

`set map` takes effect for the next request without dropping one, unlike a reload or restart.
A map changed this way is forgotten by a restart (management guide, 9.3); `map_file`, if given, is rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seatrial.drivers.haproxy import ask
from seatrial.model.problems import Unavailable


@dataclass(frozen=True, slots=True)
class LiveRelease:
    """The entry of an HAProxy map that names the release which gets the traffic."""

    socket: Path
    map: str
    key: str
    file: Path | None = None

    def read(self) -> str:
        """The live release. Raises Unavailable when HAProxy does not say."""
        for line in ask(self.socket, f"show map {self.map}").splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] == self.key:
                return fields[2]
        raise Unavailable(f"HAProxy's map {self.map} has no key '{self.key}'")

    def write(self, release: str) -> None:
        """Send traffic to `release` from the next request on. Raises Unavailable when HAProxy refuses."""
        answer = ask(self.socket, f"set map {self.map} {self.key} {release}").strip()
        if answer:
            raise Unavailable(f"HAProxy did not set {self.key} to {release}: {answer}")
        if self.file is not None:
            self.file.write_text(f"{self.key} {release}\n")
