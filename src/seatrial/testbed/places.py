"""Where a testbed keeps its things. One testbed to a home; a second home holds a second testbed.

$SEATRIAL_HOME/testbed/
    lock          held while somebody brings the testbed up or takes it down
    logs/         one file a part; kept after `down`, emptied by the next `up`
    state.json    who runs where
    target.yaml   the testbed as a target for experiments
    took.json     how long `up` and `down` took the last time; kept
    secrets.env   what target.yaml refers to as ${NAME}
    pids/         one pid file a part
    parts/NAME/   a part's working directory: every process of the part stays in it
    sockets/      control and statistics sockets (in the temporary directory when this path is too long)
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from seatrial.home import seatrial_home

# A Unix socket's path has 107 bytes, and HAProxy first binds a temporary name that is 11 longer.
_LONGEST_SOCKET_PATH = 90
_LONGEST_SOCKET_NAME = len("control.sock")


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of the testbed in one home."""

    root: Path

    @classmethod
    def of_home(cls, home: Path | None = None) -> Places:
        """The testbed of `home`, by default of `seatrial_home()`."""
        return cls((home or seatrial_home()).absolute() / "testbed")

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def target(self) -> Path:
        return self.root / "target.yaml"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.env"

    @property
    def took(self) -> Path:
        return self.root / "took.json"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def tag(self) -> str:
        """Names what this testbed has outside its directory; the same for ever, so that it is found again."""
        return hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]

    @property
    def sockets(self) -> Path:
        inside = self.root / "sockets"
        if len(os.fsencode(inside)) + 1 + _LONGEST_SOCKET_NAME <= _LONGEST_SOCKET_PATH:
            return inside
        return Path(tempfile.gettempdir()) / f"seatrial-{os.getuid()}-{self.tag}"

    @property
    def control(self) -> Path:
        return self.sockets / "control.sock"

    def part(self, name: str) -> Path:
        """The working directory of a part."""
        return self.parts / name

    def log(self, name: str) -> Path:
        """The log of a part, or of the `supervisor`."""
        return self.logs / f"{name}.log"

    def pid(self, name: str) -> Path:
        """The pid file of a part."""
        return self.pids / f"{name}.pid"
