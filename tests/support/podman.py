"""A container engine of one's own: Podman's service, which speaks Docker's API, and containers of busybox.

Storage, socket and containers are in one directory; nothing of the machine's own engine is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from seatrial.model.role import Role

NEEDS = ("podman", "runc", "busybox")
MISSING = [program for program in NEEDS if shutil.which(program) is None]
needs_podman = pytest.mark.skipif(
    bool(MISSING) or os.geteuid() != 0,
    reason=f"needs root and {', '.join(MISSING or NEEDS)} (Debian: podman, runc, busybox-static)",
)
_LIMITS = ("--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096", "--network", "none")


@dataclass
class Podman:
    """An engine that listens on `socket`."""

    directory: Path
    _service: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        self.socket = self.directory / "podman.sock"
        self._running = tempfile.mkdtemp(prefix="podman-")  # Podman takes no path beyond 50 characters for it
        busybox = shutil.which("busybox")
        assert busybox is not None
        image = self.directory / "image"
        image.mkdir()
        shutil.copy(busybox, image / "busybox")
        (image / "Containerfile").write_text(
            'FROM scratch\nCOPY busybox /bin/busybox\nENTRYPOINT ["/bin/busybox"]\n'
        )
        self.run("build", "-q", "-t", "busybox", str(image))
        with (self.directory / "service.log").open("wb") as log:
            self._service = subprocess.Popen(
                [*self._command(), "system", "service", "--time", "0", f"unix://{self.socket}"], stderr=log
            )
        wait_until(self.socket.exists, what="podman's service listens")

    def _command(self) -> list[str]:
        return [
            "podman", "--root", str(self.directory / "root"), "--runroot", self._running,
            "--tmpdir", f"{self._running}/libpod",  # else all engines of a machine share one, and its end
            "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs", "--events-backend", "file",
        ]  # fmt: skip

    def run(self, *arguments: str) -> str:
        """What one command prints."""
        done = subprocess.run([*self._command(), *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"podman {arguments[0]}: {done.stderr.strip()}"
        return done.stdout.strip()

    def start(self, *program: str) -> str:
        """Start a container that runs `program`; its name."""
        name = f"seatrial-{uuid.uuid4().hex[:8]}"
        self.run("run", "-d", "--name", name, *_LIMITS, "busybox", *program)
        return name

    def role(self, container: str, **more: Any) -> Role:
        """A role that is a container."""
        return Role(
            "worker", "container", {"container": container, "socket": str(self.socket), **more}, (), "."
        )

    def close(self) -> None:
        """Leave nothing behind."""
        self.run("rm", "--all", "--force", "--time", "0")
        self._service.terminate()
        self._service.wait()
        self.run("system", "reset", "--force")
        shutil.rmtree(self._running, ignore_errors=True)
