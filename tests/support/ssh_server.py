"""An OpenSSH server on loopback, with keys and a configuration of its own: another machine, as far as SSH can tell.

Its processes are this machine's, so a test can look at them from both sides.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from seatrial.drivers.sshconnection import hang_up
from seatrial.model.role import Role

PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
needs_ssh = pytest.mark.skipif(
    PROGRAM is None or shutil.which("ssh") is None,
    reason="OpenSSH's server is not installed (Debian: openssh-server)",
)
ALLOW = ("127.0.0.1", "localhost")


@dataclass
class SshServer:
    """A server that lets one key in."""

    directory: Path
    port: int = 0
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        assert PROGRAM is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's server separates its privileges there
        self.directory.mkdir(parents=True)
        for name in ("host", "user"):
            key = str(self.directory / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.directory / "authorized").write_text((self.directory / "user.pub").read_text())
        public = (self.directory / "host.pub").read_text()
        (self.directory / "known_hosts").write_text(f"[localhost]:{self.port} {public}")
        self.start()

    def start(self) -> None:
        """Listen, and be there to be asked."""
        assert PROGRAM is not None
        settings = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": self.directory / "host",
            "AuthorizedKeysFile": self.directory / "authorized",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
        }
        config = self.directory / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        with (self.directory / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-D", "-e", "-f", str(config)], stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(self._listens, what="sshd listens")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def binding(self, **more: Any) -> dict[str, Any]:
        """A role's parameters."""
        return {
            "host": "localhost",
            "port": self.port,
            "user": getpass.getuser(),
            "identity": str(self.directory / "user"),
            "known_hosts": str(self.directory / "known_hosts"),
            **more,
        }

    def role(self, **more: Any) -> Role:
        """A role at this machine."""
        return Role("worker", "ssh", self.binding(**more), ALLOW, str(self.directory))

    def stop(self) -> None:
        """Be away; connections that are open stay."""
        self._process.terminate()
        self._process.wait()

    def close(self) -> None:
        """End it, and our connections to it."""
        hang_up()
        self.stop()
